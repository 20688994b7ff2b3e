"""``vldeformer publish``: a decomposed model → a folder or a repository of the Hugging Face hub."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import AnyModel, Name, OutFolder, exactly_one


def publish(
    model: AnyModel,
    /,
    *,
    out: Annotated[OutFolder | None, Parameter(help="model folder to write")] = None,
    hub: Annotated[
        str | None, Parameter(metavar="USER/NAME", help="repository to write; made if it is not there; needs a token")
    ] = None,
    results: Annotated[Path | None, Parameter(help="folder results/NAME of the run that measured it, for the card")] = None,
    experiment: Annotated[Name | None, Parameter(help="which model of that run it is; none: its main one")] = None,
    private: Annotated[bool, Parameter(help="with --hub: a new repository is private")] = False,
) -> None:
    """Decomposed model → folder or repository of the Hugging Face hub, with a model card."""
    from vldeformer.encoder import load
    from vldeformer.errors import InputError

    exactly_one(out=out, hub=hub)
    if private and hub is None:
        raise InputError("--private goes with --hub")
    encoder = load(model)
    if out is not None:
        encoder.save_pretrained(out, results, experiment)
    elif hub is not None:
        print(encoder.push_to_hub(hub, private, None, results, experiment))
