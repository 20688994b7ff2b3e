"""What tables and figures compare: the settings section `report`, and how runs of one experiment with other seeds are named."""

import re
from collections.abc import Iterable

from pydantic import Field

from vldeformer.section import Section

SEEDED = re.compile(r"(.+)_seed([1-9]\d*)")

CLAIMED_DROP = 0.6
"""Bound of the average recall drop that the VLDeformer paper states, in points."""
CLAIMED_SPEEDUP = 1000.0
"""Speed-up of the decomposed over the joint model that the paper states, in times."""
READ_ELSEWHERE = " †"
"""Behind the title of a model with a text transformer that was trained elsewhere."""
READ_ELSEWHERE_NOTE = "† with a text transformer that was trained on other texts: captions of the test may have been among them."


def split_seed(experiment: str) -> tuple[str, int]:
    """``NAME_seed2`` → (``NAME``, 2): NAME with train.seed 2. A plain name is its own run 0, with the seed of its files."""
    found = SEEDED.fullmatch(experiment)
    return (found[1], int(found[2])) if found else (experiment, 0)


def runs_of(experiment: str, names: Iterable[str]) -> dict[int, str]:
    """Seed → name of an experiment's runs among ``names``, in the order of seeds."""
    split = ((*split_seed(name), name) for name in names)
    return dict(sorted((seed, name) for plain, seed, name in split if plain == experiment))


class ReportChoices(Section):
    """What settings files say of tables and figures; what else they compare follows from the experiments of a run."""

    baseline: str = Field(description="experiment from which the recall drop is counted (the joint model)")
    main: str = Field(description="experiment whose recall drop and speed-up are the headline")
    decomposed: list[str] = Field(description="experiments whose recall drop is reported, `main` among them")
    claimed: list[str] = Field(
        description="those of `decomposed` of which the page of claims speaks: trained models that embed each item alone"
    )
    trivial: list[str] = Field(
        description="baselines without a transformer; where the joint model is not clearly above the best of those that were "
        "run, its drop is no test"
    )
    order: list[str] = Field(description="order of the rows of tables; experiments that are not listed follow in that of the run")
    ablations: list[str] = Field(description="order of the ablations: files of config/ablations; others follow by name")
    titles: dict[str, str] = Field(description="experiment → what tables call it on this data set, in place of its own title")
    whole: dict[str, float] = Field(description="ablation → place of its rows `at: whole` on the axis, e.g. all target images")
    published_protocols: list[str] = Field(
        description="protocols of config/published.csv, e.g. coco-5k, under which models stand beside published ones; []: none do"
    )
    counterparts: dict[str, str] = Field(
        description="experiment → published model from whose recalls the experiment's difference is counted"
    )


class AblationRow(Section):
    """One choice. Its runs with other seeds (``EXPERIMENT_seed1`` …) are found by their names and averaged.

    title: what the table calls it; None: what ``titles`` calls the experiment. reference: as that of the ablation.
    at: where it is on the axis of the figure; line: line of the figure to which it belongs, if there are several.
    """

    experiment: str
    title: str | None = None
    reference: str | None = None
    at: float | None = None
    line: str | None = None


class Ablation(Section):
    """A table about one choice, with a figure where ``axis`` is given: what the numbers ``at`` of the rows are.

    protocol: test, or subset where joint models are among the rows. reference: experiment from which gains are counted, seed by
    seed, unless a row names another. logarithmic: whether the axis is.
    """

    title: str
    protocol: str = "test"
    reference: str | None = None
    axis: str | None = None
    logarithmic: bool = False
    rows: list[AblationRow] = Field(min_length=1)

    def reference_of(self, row: AblationRow) -> str | None:
        """The experiment from which a row's gain is counted; None if there is none or it is the row's own."""
        name = row.reference or self.reference
        return None if name == row.experiment else name


class ReportSettings(Section):
    """What the tables of a run compare: made by ``plan``. Fields that ``ReportChoices`` has too mean the same.

    titles: experiment name → what tables and figures call it, in the order of the rows; ablations: name of the files → a table.
    claimed_drop, claimed_speedup: the published bounds, in points and in times.
    """

    titles: dict[str, str]
    baseline: str
    main: str
    decomposed: list[str]
    claimed: list[str]
    trivial: list[str]
    ablations: dict[str, Ablation]
    published_protocols: list[str]
    counterparts: dict[str, str]
    claimed_drop: float = Field(default=CLAIMED_DROP, gt=0)
    claimed_speedup: float = Field(default=CLAIMED_SPEEDUP, gt=0)
