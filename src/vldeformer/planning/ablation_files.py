"""Files of ``config/ablations``: a table about one choice of the method. A row is an experiment, or refers to one."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from vldeformer.errors import InputError
from vldeformer.planning.layers import explain, read_layer
from vldeformer.section import Section

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"


class Row(Section):
    """One choice: an experiment that differs by ``set``, or an ``experiment`` that has a file or row elsewhere."""

    experiment: str | None = Field(
        default=None, description="refers to this experiment, or to the row of this name in another file"
    )
    set: dict[str, Any] | None = Field(
        default=None, description="what differs from `base`, e.g. `{train.loss.temperature: 0.02}`; the row is an experiment then"
    )
    name: str | None = Field(
        default=None,
        pattern=NAME,
        description="name of a row with `set`; null: name of the file and place or title, e.g. temperature_0.02",
    )
    base: str | None = Field(default=None, description="experiment from which the row differs; null: that of the file")
    title: str | None = Field(default=None, description="what the table calls it; null: title of the experiment")
    full_title: str | None = Field(default=None, description="what other tables call it; null: `title`")
    reference: str | None = Field(
        default=None, description="experiment from which its gain is counted, seed by seed; null: that of the file"
    )
    at: float | Literal["whole"] | None = Field(
        default=None,
        description="place on the axis of the figure; whole: what `report.whole` of the data set says, e.g. all target images",
    )
    line: str | None = Field(default=None, description="line of the figure to which it belongs, if there are several")

    @model_validator(mode="after")
    def _is_an_experiment_or_refers_to_one(self) -> Self:
        if (self.experiment is None) == (self.set is None):
            raise ValueError("either `set` (the row is an experiment) or `experiment` (it refers to one)")
        if self.experiment is not None and (self.name or self.base or self.full_title):
            raise ValueError("no name, base or full_title in a row that refers to an experiment: they belong where that one is")
        if self.set is not None and self.title is None:
            raise ValueError("a title in a row with `set`")
        return self


class AblationFile(Section):
    """A table about one choice, with a figure where ``axis`` is given."""

    title: str = Field(description="what it is about, in its caption")
    protocol: Literal["test", "subset"] = Field(
        default="test", description="test, or subset where joint models are among the rows"
    )
    reference: str | None = Field(default=None, description="experiment from which gains are counted, unless a row names another")
    axis: str | None = Field(default=None, description="what the numbers `at` of the rows are; null: no figure")
    logarithmic: bool = Field(default=False, description="whether that axis is logarithmic")
    base: str = Field(default="decomposed", description="experiment from which rows with `set` differ")
    rows: list[Row] = Field(min_length=1, description="the choices; those that were not run are left out of the table")

    def name_of(self, row: Row, ablation: str) -> str:
        """Name of the experiment of a row; ``ablation``: name of the file."""
        if row.experiment or row.name:
            return str(row.experiment or row.name)
        place = f"{row.at:g}" if isinstance(row.at, float) else re.sub(r"[^a-z0-9.]+", "_", str(row.title).lower()).strip("_")
        return f"{ablation}_{place}"

    def reference_of(self, row: Row, ablation: str) -> str | None:
        """The experiment from which a row's gain is counted; None if there is none or it is the row's own."""
        name = row.reference or self.reference
        return None if name == self.name_of(row, ablation) else name

    def experiments(self, ablation: str) -> Iterator[str]:
        """Names of all experiments that the table compares: rows and what their gains are counted from."""
        for row in self.rows:
            yield self.name_of(row, ablation)
        for row in self.rows:
            reference = self.reference_of(row, ablation)
            if reference is not None:
                yield reference


def read_ablations(folder: Path) -> dict[str, AblationFile]:
    """Every file of a folder by its name, in alphabetical order.

    Raises:
        InputError: a file is wrong, or two rows with ``set`` have one name.

    """
    found: dict[str, AblationFile] = {}
    owners: dict[str, Path] = {}
    for path in sorted(folder.glob("*.yaml")):
        source, values = read_layer(path)
        try:
            found[path.stem] = ablation = AblationFile.model_validate(values)
        except ValidationError as error:
            raise InputError(explain(error, AblationFile, [(source, values)])) from None
        for row in ablation.rows:
            name = ablation.name_of(row, path.stem)
            if row.set is not None and name in owners:
                raise InputError(f"{path}: two rows are named {name}, the other is in {owners[name]}; give one a name")
            if row.set is not None:
                owners[name] = path
    return found


def nested(differences: dict[str, Any]) -> dict[str, Any]:
    """``{"train.steps": 3}`` as ``{"train": {"steps": 3}}``."""
    whole: dict[str, Any] = {}
    for place, value in differences.items():
        *above, key = place.split(".")
        inner = whole
        for name in above:
            inner = inner.setdefault(name, {})
        inner[key] = value
    return whole
