"""Write dvc.yaml: the graph of Snakemake's target `all`, a stage for each step of each experiment.

    python workflow/dvc_stages.py                        the default run; `make dvc-stages`
    python workflow/dvc_stages.py default coco_vinvl     and a run of the paper, where its raw files are

Snakemake is asked for the graph, so a step is described in its rule and nowhere else. This file says only how stages are named.
A test fails if dvc.yaml is not what this script writes.
"""

import contextlib
import io
import os
import shlex
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings

from vldeformer.planning.plan import Plan, load_plan

ROOT = Path(__file__).resolve().parents[1]
STAGE_OF = {
    "import_features": "features",  # into the folder of the rule `features`
    "import_weights": "pretrain",
    "embed_shard": "embed",
    "gather": "embed",
    "score_every_pair": "score",
    "reranked": "rerank",
    "reranked_depths": "rerank",
}
"""Rule → stage, where the stage is not named like the rule."""
MADE_BEFORE = {"fetch"}
"""Rules that are in no stage: they make raw data, which DVC tracks as they are."""
ONE_EACH = {"train", "embed", "score", "evaluate", "compositional"}
"""Stages of which there is one for each experiment: `train@joint`."""
METRICS = "metrics.json"
IN_GIT = {METRICS, "report.json", "speed.json", "tables", "figures", "plots"}
"""Results that git keeps; DVC keeps the others."""
PLOTS = {
    "Recall at k of the captions of an image": ("recall", "k", "i2t", "k", "Recall (%)", "models"),
    "Recall at k of the image of a caption": ("recall", "k", "t2i", "k", "Recall (%)", "models"),
    "Loss of training": ("training", "step", "loss", "Step", "Loss", "models"),
    "Recall on val": ("validation", "step", "mean_recall", "Step", "Mean recall (%)", "models"),
    "Time of a query": ("gallery_time", "n_images", "ms", "Images", "Milliseconds", "models_log"),
}
"""Title → file below results/DATASET/plots, x, y, label of x, label of y, template in .dvc/plots (a colour for each model)."""
HEADER = """\
# Written by `make dvc-stages` (workflow/dvc_stages.py) from the rules of the workflow; do not edit. Runs: {runs}
#
#   dvc pull data.dvc && dvc repro     in a fresh clone
#   dvc repro train@joint              one model and what it needs; with -s the model alone
#   dvc commit -f --no-relink          after `snakemake --cores 8 all`: adopt what it made
#
# A stage is a step of an experiment. It allows Snakemake the step's own rule alone, so that nothing else is made again, whatever
# the times of files are after a checkout. The stage `settings` writes the settings file of every step: its sections and its
# VERSION. These files and data are all that stages depend on, so a changed setting or a raised VERSION makes the same steps again
# here and in Snakemake, and any other edit of the code makes none. DVC reads VERSION in the step's module as a parameter.
# Results are never `persist: true`: DVC would certify an old model under new settings. Settings files are kept while they are
# made: a file whose bytes do not change keeps its time, which is what Snakemake goes by.
"""


@dataclass(frozen=True)
class Job:
    """A job of Snakemake."""

    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def stage(self) -> str:
        """The stage to which it belongs."""
        return STAGE_OF.get(self.rule, self.rule).replace("_", "-")


@dataclass(frozen=True)
class Graph:
    """The jobs of the target `all` in their order, and the files of settings that planning them has opened."""

    plan: Plan
    jobs: list[Job]
    settings: list[str]


opened: set[str] = set()
"""Files of settings that were opened since the set was cleared."""


def _note_opened(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str | os.PathLike):
        path = Path(arguments[0]).absolute()
        if path.suffix == ".yaml" and path.is_relative_to(ROOT / "config"):
            opened.add(path.relative_to(ROOT).as_posix())


def graph_of(run: str) -> Graph:
    """The graph of a run, from Snakemake."""
    opened.clear()
    values = yaml.safe_load((ROOT / "config" / f"{run}.yaml").read_text(encoding="utf-8"))
    jobs = _in_order(_jobs(run))
    return Graph(load_plan(ROOT / "config", values), jobs, sorted(opened))


def _jobs(run: str) -> list[Job]:
    settings = ConfigSettings(configfiles=[ROOT / "config" / f"{run}.yaml"])
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api, contextlib.redirect_stdout(io.StringIO()):
        workflow = api.workflow(ResourceSettings(cores=1), settings, snakefile=ROOT / "Snakefile", workdir=ROOT)
        workflow.dag(DAGSettings(targets={"all"})).printd3dag()  # makes the graph
        jobs = [Job(each.rule.name, _relative(each.input), _relative(each.output)) for each in workflow._workflow.dag.jobs]
    return [job for job in jobs if job.outputs and job.rule not in MADE_BEFORE]


def _relative(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(str(Path(path).relative_to(ROOT)) if Path(path).is_relative_to(ROOT) else str(path) for path in paths)


def _in_order(jobs: Sequence[Job]) -> list[Job]:
    """Each job after those whose outputs it reads."""
    maker = {path: job for job in jobs for path in job.outputs}
    ordered: dict[Job, None] = {}

    def add(job: Job) -> None:
        for earlier in sorted({maker[path] for path in job.inputs if path in maker} - ordered.keys(), key=_order):
            add(earlier)
        ordered.setdefault(job)

    for job in sorted(jobs, key=_order):
        add(job)
    return list(ordered)


def _order(job: Job) -> tuple[str, tuple[str, ...]]:
    return job.stage, job.outputs


def stages_of(run: str, graph: Graph, prefix: str = "") -> dict[str, Any]:
    """Stages of a run as dvc.yaml has them, their names after ``prefix``."""
    groups: dict[str, dict[str, list[Job]]] = defaultdict(lambda: defaultdict(list))
    for job in graph.jobs:
        groups[job.stage][_key(job, graph.plan) if job.stage in ONE_EACH else ""].append(job)
    snakemake = f"snakemake --configfile {shlex.quote(f'config/{run}.yaml')}"
    stages: dict[str, Any] = {f"{prefix}settings": _settings_stage(graph, snakemake)}
    for name, group in groups.items():
        described = {key: _stage(jobs, graph.plan, snakemake) for key, jobs in group.items()}
        stages[f"{prefix}{name}"] = _for_each(described) if name in ONE_EACH else described[""]
    return stages


def _key(job: Job, plan: Plan) -> str:
    """Whose job it is: its experiment, and the protocol of an evaluation."""
    kind, _, name, *rest = Path(job.outputs[0]).parts
    if kind == "artifacts":
        return plan.experiment(name)
    return f"{name}-{Path(rest[0]).stem}" if job.stage == "evaluate" else name


def _stage(jobs: Sequence[Job], plan: Plan, snakemake: str) -> dict[str, Any]:
    made = {path for job in jobs for path in job.outputs}
    deps = sorted({_tracked(path, plan) for job in jobs for path in job.inputs if path not in made})
    outs = sorted({_tracked(path, plan, whole=True) for path in made if "/embed_shards/" not in path})
    rules = " ".join(sorted({job.rule for job in jobs}))
    targets = [job.outputs[0] for job in jobs if job.rule != "embed_shard"]
    kept = [_text(path) for path in outs if Path(path).name not in IN_GIT]
    in_git = [{_text(path): {"cache": False}} for path in outs if Path(path).name in IN_GIT and Path(path).name != METRICS]
    metrics = [{_text(path): {"cache": False}} for path in outs if Path(path).name == METRICS]
    return {
        "cmd": _text(f"{snakemake} --cores all --allowed-rules {rules} -- {' '.join(map(shlex.quote, targets))}"),
        "deps": [_text(path) for path in deps],
        **({"metrics": metrics} if metrics else {}),
        "outs": kept + in_git,
    }


def _tracked(path: str, plan: Plan, whole: bool = False) -> str:
    """What DVC tracks of a file: itself; the folder of a report's tables; with ``whole`` a step's folder, with its record."""
    parts = Path(path).parts
    if parts[0] == "results" and parts[2] not in plan.run.experiments.all:
        return "/".join(parts[:3])
    return "/".join(parts[:4]) if whole and parts[0] == "artifacts" else path


def _for_each(stages: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Stages of one name. All have as many outputs; one with fewer deps names its last one again."""
    most = max(len(stage["deps"]) for stage in stages.values())
    few = len(next(iter(stages.values()))["outs"])
    for stage in stages.values():
        assert len(stage["outs"]) == few, "a stage for each protocol and experiment has the same kinds of outputs"
        stage["deps"] += stage["deps"][-1:] * (most - len(stage["deps"]))
    return {
        "foreach": stages,
        "do": {
            "cmd": "${item.cmd}",
            "deps": [f"${{item.deps[{place}]}}" for place in range(most)],
            "outs": [f"${{item.outs[{place}]}}" for place in range(few)],
        },
    }


def _settings_stage(graph: Graph, snakemake: str) -> dict[str, Any]:
    """Planning a run writes the settings files of its steps."""
    files = sorted({path for job in graph.jobs for path in job.inputs if Path(path).parts[3:4] == ("settings",)})
    steps = sorted({Path(path).stem.replace("-", "_") for path in files})
    return {
        "cmd": f"{snakemake} --dry-run --quiet all -- all",
        "params": [{_text(path): None} for path in graph.settings]
        + [{f"src/vldeformer/steps/{step}.py": ["VERSION"]} for step in steps],
        "outs": [{_text(path): {"persist": True}} for path in files],
    }


def _text(text: str) -> str:
    """A text in which DVC sees no variable."""
    return text.replace("${", "\\${")


def plots_of(plan: Plan) -> list[Any]:
    """What `dvc plots` draws: a picture for each kind of curve, with a line for each model."""
    plots = []
    for title, (name, x, y, x_label, y_label, template) in PLOTS.items():
        path = _text(f"results/{plan.run.dataset}/plots/{name}.csv")
        drawn = {"x": x, "y": {path: y}, "x_label": x_label, "y_label": y_label, "template": template}
        plots.append({title: drawn})
    return plots


def dvc_yaml(runs: Sequence[str]) -> str:
    """The text of dvc.yaml. Names of the stages of all runs but the first begin with the run's."""
    graphs = {run: graph_of(run) for run in runs}
    stages: dict[str, Any] = {}
    for run, graph in graphs.items():
        stages |= stages_of(run, graph, "" if run == runs[0] else f"{run}-")
    described = {"stages": stages, "plots": plots_of(graphs[runs[0]].plan)}
    text = yaml.dump(described, Dumper=_Dumper, sort_keys=False, width=125, allow_unicode=True)
    return HEADER.format(runs=" ".join(runs)) + text


class _Dumper(yaml.SafeDumper):
    """Equal lists are written in full: no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


if __name__ == "__main__":
    sys.addaudithook(_note_opened)
    (ROOT / "dvc.yaml").write_text(dvc_yaml(sys.argv[1:] or ["default"]), encoding="utf-8")
