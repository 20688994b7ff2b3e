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
        str | None, Parameter(metavar="USER/NAME", help="repository to write; created if necessary; needs a token")
    ] = None,
    results: Annotated[Path | None, Parameter(help="folder results/NAME with the results for the card")] = None,
    experiment: Annotated[Name | None, Parameter(help="experiment of that run; default: the main one")] = None,
    private: Annotated[bool, Parameter(help="with --hub: make a new repository private")] = False,
) -> None:
    """Write a decomposed model with a model card into a folder or a Hugging Face repository."""
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
