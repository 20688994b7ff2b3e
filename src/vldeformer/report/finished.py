"""Find the run folder from the current directory; the notebooks start here."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vldeformer.errors import InputError

DEFAULT_DATASET = "scenes"


@dataclass(frozen=True)
class FinishedRun:
    """Output of `snakemake all` for one data set of the project at ``root``."""

    root: Path
    dataset: str

    @property
    def artifacts(self) -> Path:
        """artifacts/DATASET: a folder for the default experiment, ``base``, and one for each that differs from it."""
        return self.root / "artifacts" / self.dataset

    @property
    def results(self) -> Path:
        """results/DATASET: ``metrics.json``, tables, figures, and a folder for each experiment."""
        return self.root / "results" / self.dataset


def find_run(dataset: str, needed: Sequence[str] = ()) -> FinishedRun:
    """The run of ``dataset`` in the project that the working folder is in.

    needed: what will be read of ``artifacts``, e.g. ``base/prepare``; ``metrics.json`` is always asked for. Raises InputError,
    which says what to run, if any of it is not there.
    """
    here = Path.cwd()
    root = next((folder for folder in (here, *here.parents) if (folder / "Snakefile").is_file()), None)
    if root is None:
        raise InputError(f"{here}: expected a folder of the project, found no Snakefile here or above; start from the project")
    run = FinishedRun(root, dataset)
    paths = [run.results / "metrics.json", *(run.artifacts / name for name in needed)]
    missing = next((path for path in paths if not path.exists()), None)
    if missing is not None:
        which = "" if dataset == DEFAULT_DATASET else f" --configfile config/{dataset}.yaml"
        what = f"expected {missing.relative_to(root)} of a finished run, found none"
        raise InputError(f"{root}: {what}; run `snakemake --cores 8 all{which}` there first")
    return run
