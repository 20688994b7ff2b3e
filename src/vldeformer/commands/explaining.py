"""From a cell of a table to its files, and from those to the stages behind them: settings, code version, digests of inputs.

Which folder an experiment's artifacts lie in is asked of the plan, as the workflow asks it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vldeformer.artifact import RECORD, read_json
from vldeformer.config import BASE
from vldeformer.errors import InputError
from vldeformer.plan import JUDGED_BY, STAGE_SECTIONS, load_plan, stages_up_to
from vldeformer.report.sources import find_cell, value_in

"""Kind of model → the stage whose output is evaluated for recall."""
RERANKED = "reranked"
"""Made of two models, so that it has no settings file of its own."""


def explain_cell(table: Path, row: Sequence[str], column: str, config_dir: Path) -> list[str]:
    """Lines about one cell. Raises InputError if it is not there or its table came without sources."""
    cell = find_cell(table, row, column)
    lines = [f"{table}: {column} = {cell.value or '(empty)'}"]
    files, key = cell.source.of(column)
    if not files:
        return [*lines, f"  {cell.source.how}"]
    if key is None:
        lines.append(f"  computed: {cell.source.how}; from")
    told: set[Path] = set()
    for name in files:
        file = Path(name)
        found = f", key {key} = {value_in(file, key)}" if key is not None and file.is_file() else ""
        lines.append(f"  {name}{found}{'' if file.is_file() else ' (not here: `dvc pull`, or run the workflow)'}")
        lines += [f"    {line}" for line in _run(file, config_dir, told)]
    return lines


def stages_behind(file: Path, config_dir: Path) -> list[tuple[str, Path, Path]]:
    """Stage, its settings file and its folder, first to last, as the plan names them; none: the file is no result.

    Raises InputError if the settings are not there or wrong.
    """
    result = read_json(file) if file.is_file() and file.suffix == ".json" else {}
    if not isinstance(result, dict) or "experiment" not in result or "dataset" not in result:
        return []
    dataset, experiment = result["dataset"], result["experiment"]
    source = BASE if experiment == RERANKED else experiment
    plan = load_plan(config_dir, {"dataset": dataset, "experiments": {"all": [source], "ablations": []}})
    if "subsets" in result:  # of the compositional test
        last = "compositional"
    else:
        last = "rerank" if experiment == RERANKED else JUDGED_BY[plan.settings[source].train.kind]
    found = []
    for stage in stages_up_to(last):
        home = Path("artifacts") / dataset / plan.home(source, stage)
        folder = home / stage / result["protocol"] if stage == "rerank" else home / stage
        found.append((stage, home / "settings" / f"{stage}.json", folder))
    return found


def _run(file: Path, config_dir: Path, told: set[Path]) -> Iterator[str]:
    """The stages behind a result, first to last: settings file, code, time, inputs. Those ``told`` already are left out."""
    try:
        stages = stages_behind(file, config_dir)
    except InputError as error:
        yield f"its settings are not here: {error}"
        return
    if stages:
        result = read_json(file)
        yield f"experiment {result['experiment']} on {result['dataset']}"
    for stage, settings, folder in stages:
        if folder not in told:
            told.add(folder)
            yield from _stage(settings, folder, stage)


def _stage(settings: Path, folder: Path, stage: str) -> Iterator[str]:
    record = folder / RECORD
    shown = f", settings {settings}" if STAGE_SECTIONS[stage] and settings.is_file() else ""
    if not record.is_file():
        if shown:
            yield stage + (f": {folder}" if folder.is_dir() else "") + shown
        return
    made = read_json(record)
    yield f"{stage}: {folder}{shown}, {_code(made['code'])}, finished {made['finished']}"
    yield from (f"  read {name}: {item['path']}, sha256 {item['sha256'][:12]}" for name, item in made["inputs"].items())


def _code(code: dict[str, Any]) -> str:
    changed = " with uncommitted changes" if code["dirty"] else ""
    return f"code {code['version']}" + (f" at {code['commit'][:12]}{changed}" if code["commit"] else "")
