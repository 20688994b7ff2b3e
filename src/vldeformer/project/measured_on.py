"""What a result was measured on. A result has no record, as its folder must be equal between runs: the plan says it."""

from pathlib import Path

from vldeformer.artifact import read_json
from vldeformer.errors import InputError
from vldeformer.planning.experiment_files import BASE
from vldeformer.planning.plan import RERANKED, load_plan
from vldeformer.planning.step_sections import JUDGED_BY


def measured_on(file: Path, config_dir: Path) -> tuple[str, tuple[Path, ...]]:
    """In words, and the folders, by the present settings; ("", ()): the file is no result."""
    result = read_json(file) if file.is_file() and file.suffix == ".json" else {}
    if not isinstance(result, dict) or "experiment" not in result or "dataset" not in result:
        return "", ()
    dataset, experiment = result["dataset"], result["experiment"]
    source = BASE if experiment == RERANKED else experiment
    try:
        plan = load_plan(config_dir, {"dataset": dataset, "experiments": {"all": [source], "ablations": []}})
    except InputError as error:
        return f"no record, and its settings are not here: {error}", ()

    def folder(stage: str) -> Path:
        home = Path("artifacts") / str(dataset) / plan.home(source, stage) / stage
        return home / str(result["protocol"]) if stage == "rerank" else home

    if "subsets" in result:  # of the compositional test, which writes no folder of its own
        read = tuple(folder(stage) for stage in ("compositional-items", "train"))
    else:
        read = (folder("rerank" if experiment == RERANKED else JUDGED_BY[plan.settings[source].train.kind]),)
    return f"no record; by the present settings it was measured on {' and '.join(map(str, read))}", read
