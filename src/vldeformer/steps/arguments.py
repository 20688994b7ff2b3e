"""Arguments that several steps share, each written once: its type, the word for its value and its help text.

A step is ``steps/NAME.py`` with a function of the same name; the command line is made from its signature (``cli.py``).
Positional-only parameters are the words of the command, keyword-only ones its options: ``raw_dir`` is ``--raw-dir``.

A step module imports at its top only what its signature needs, so that planning and ``--help`` load no torch or NumPy.
What the step does is imported inside its function. ``VERSION`` of a step that the workflow runs is raised when its results
change: it goes into the step's settings file, and with it everything that follows is stale.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from cyclopts import CoercionError, Parameter, Token

from vldeformer.errors import InputError


def _named_paths(_: object, tokens: Sequence[Token]) -> dict[str, Path]:
    """The values NAME=PATH by name."""
    found = {}
    for token in tokens:
        name, sign, path = token.value.partition("=")
        if not (name and sign):
            raise CoercionError(token=token)
        found[name] = Path(path)
    return found


SettingsFile = Annotated[Path, Parameter(help="settings file of the step (JSON)")]
SettingsOrMachine = Annotated[Path | None, Parameter(help="settings file of the step; default: CPU, float32", show_default=False)]
ManifestFile = Annotated[Path, Parameter(help="manifest.json")]
Features = Annotated[Path, Parameter(help="region store or pixel store")]
Tokenizer = Annotated[Path, Parameter(help="tokenizer.json")]
RawFolder = Annotated[Path, Parameter(help="folder of the raw files")]
OutFolder = Annotated[Path, Parameter(help="folder to write")]
OutFile = Annotated[Path, Parameter(help="file to write")]

AnyModel = Annotated[str, Parameter(help="model folder of this project, published checkpoint, or hub id", metavar="MODEL")]
JointModel = Annotated[Path, Parameter(help="joint model folder")]
EmbeddingsFolder = Annotated[Path, Parameter(help="folder made by `embed`, same split")]

Name = Annotated[str, Parameter(metavar="NAME")]
SplitName = Annotated[Name, Parameter(help="split of the manifest")]
DatasetName = Annotated[Name, Parameter(help="name for the result")]
ExperimentName = Annotated[Name, Parameter(help="name for the result")]
AllImages = Annotated[bool, Parameter(name="--all")]

PathList = Annotated[Sequence[Path], Parameter(metavar="PATH...", consume_multiple=1)]
"""One path or more after one option."""
AnyPaths = Annotated[Sequence[Path], Parameter(metavar="PATH...", consume_multiple=True)]
"""Any number of paths after one option, also none."""
NamedPaths = Annotated[
    Mapping[str, Path],
    Parameter(metavar="NAME=PATH...", consume_multiple=True, n_tokens=-1, accepts_keys=False, converter=_named_paths),
]
"""Any number of NAME=PATH after one option."""
NO_PATHS: Mapping[str, Path] = MappingProxyType({})
Results = Annotated[PathList, Parameter(help="RESULT.json files of one dataset")]
CompositionalResults = Annotated[AnyPaths, Parameter(help="results of the compositional test")]
Journals = Annotated[NamedPaths, Parameter(help="training journals by experiment")]

IndexFolder = Annotated[Path, Parameter(help="index folder, made by `index`")]
SearchModel = Annotated[AnyModel, Parameter(help="present place of the index's model, if it has moved")]
SearchJoint = Annotated[AnyModel, Parameter(help="joint model: model folder, checkpoint or hub id; with --rerank")]


def exactly_one(**given: Any) -> None:
    """Check that one of several options that exclude each other is given.

    Args:
        given: parameter name → value, None if it is not given; names in capitals are words of the command.

    Raises:
        InputError: none or more than one is given.

    """
    shown = {name: name if name.isupper() else f"--{name.replace('_', '-')}" for name in given}
    got = [shown[name] for name, value in given.items() if value is not None]
    if len(got) != 1:
        raise InputError(f"expected exactly one of {', '.join(shown.values())}, got {' and '.join(got) or 'none'}")
