"""Notebooks run from top to bottom on a tiny run, define nothing, and are kept without output."""

import ast
import contextlib
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from workflow_projects import ROOT

from vldeformer.cli import main
from vldeformer.planning.plan import load_plan
from vldeformer.planning.step_sections import STEP_SECTIONS

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = ["01_data_and_regions", "02_hard_negatives", "03_results", "04_decompose_and_search"]
EXPERIMENTS = ["joint", "decomposed"]
# What the workflow does for two experiments, by the same commands into the same places, but in one process: seconds.
COMMANDS = """
fetch scenes --settings BASE/settings/fetch.json --out raw/tiny/scenes.jsonl
prepare --settings BASE/settings/prepare.json --raw-dir raw/tiny --out BASE/prepare
features --settings BASE/settings/features.json --raw-dir raw/tiny --prepared BASE/prepare --out BASE/features
vocabulary --settings BASE/settings/vocabulary.json DATA --out BASE/vocabulary/tokenizer.json
pretrain --settings BASE/settings/pretrain.json DATA --tokenizer BASE/vocabulary/tokenizer.json --out BASE/pretrain
negatives --settings BASE/settings/negatives.json DATA --out BASE/negatives
train --settings BASE/settings/train.json DATA START --negatives BASE/negatives --out BASE/train
train --settings JOINT/settings/train.json DATA START --out JOINT/train
embed --settings BASE/settings/embed.json --model BASE/train/model DATA --split test --out BASE/embed
score --settings JOINT/settings/score.json --model JOINT/train/model DATA --split test --out JOINT/score
evaluate NAMED decomposed --embeddings BASE/embed --protocol subset --out RESULTS/decomposed/subset.json
evaluate NAMED joint --scores JOINT/score --protocol subset --out RESULTS/joint/subset.json
rerank --settings BASE/settings/rerank.json --embeddings BASE/embed --joint JOINT/train/model DATA --dataset tiny \
 --out BASE/rerank
speed --settings BASE/settings/speed.json --joint JOINT/train/model --dual BASE/train/model DATA --out RESULTS/speed.json
compositional-items --settings BASE/settings/compositional-items.json --raw-dir raw/tiny --split test --out BASE/items
compositional --settings BASE/settings/compositional.json --model BASE/train/model --items BASE/items DATA --split test \
 --dataset tiny --experiment decomposed --out RESULTS/decomposed/compositional.json
report --settings BASE/settings/report.json --results RESULTS/joint/subset.json RESULTS/decomposed/subset.json \
 RESULTS/reranked/subset.json \
 --rerank BASE/rerank --journals decomposed=BASE/train/journal.jsonl --speed RESULTS/speed.json \
 --compositional RESULTS/decomposed/compositional.json --out RESULTS
"""
SHORT = {
    "NAMED": "--settings BASE/settings/evaluate.json --dataset tiny --experiment",
    "START": "--tokenizer BASE/vocabulary/tokenizer.json --start BASE/pretrain/model",
    "DATA": "--manifest BASE/prepare/manifest.json --features BASE/features/store",
    "BASE": "artifacts/tiny/base",
    "JOINT": "artifacts/tiny/joint",
    "RESULTS": "results/tiny",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder in which the tiny run is finished, as far as notebooks read it."""
    root = tmp_path_factory.mktemp("project")
    (root / "Snakefile").touch()
    (root / "notebooks").mkdir()
    shutil.copytree(ROOT / "config", root / "config")
    plan = load_plan(root / "config", {"dataset": "tiny", "experiments": {"all": EXPERIMENTS, "ablations": []}})
    with contextlib.chdir(root):
        for name in EXPERIMENTS:
            for step in STEP_SECTIONS:
                plan.settings_file(plan.home(name, step), step)
    lines = COMMANDS.replace("\\\n", "")
    for word, text in SHORT.items():
        lines = lines.replace(word, text)
    with contextlib.chdir(root), pytest.MonkeyPatch.context() as patch:
        patch.setattr("joblib.cpu_count", lambda: 1)
        for line in lines.strip().splitlines():
            assert main(line.split()) == 0, line
            if line.startswith("rerank "):
                Path("results/tiny/reranked").mkdir(parents=True)
                for ending in ("json", "ranks.parquet"):
                    made = f"artifacts/tiny/base/rerank/depth_{plan.base.rerank.depth}.{ending}"
                    shutil.copy(made, f"results/tiny/reranked/subset.{ending}")
    return root


def opened(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def run(notebook, project):
    """Run a notebook on the tiny world, in the folder where `jupyter lab` starts it."""
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert first.source.count('find_run("scenes"') == 1, "the first cell says which run is read"
    first.source = first.source.replace('find_run("scenes"', 'find_run("tiny"')
    resources = {"metadata": {"path": str(project / "notebooks")}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()


def outputs(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def test_there_are_four():
    assert [path.stem for path in NOTEBOOKS] == NAMES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_defines_nothing_has_no_output_and_opens_with_the_kernel_of_the_environment(path):
    notebook = opened(path)
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None
            nodes = ast.walk(ast.parse(cell.source))
            assert not [node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "pictures", "said"),
    [
        ("01_data_and_regions", 3, "of the objects of 30 test pictures are named by a tag"),
        ("02_hard_negatives", 4, "<del>"),
        ("03_results", 4, "key mean_recall of results/tiny/decomposed/subset.json"),
        ("04_decompose_and_search", 6, "JointMatcher → DualEncoder: "),
    ],
)
def test_notebook_runs_from_top_to_bottom(project, name, pictures, said):
    notebook = opened(ROOT / "notebooks" / f"{name}.ipynb")
    run(notebook, project)
    shown = outputs(notebook)
    kinds = {"image/png", "image/svg+xml"}
    assert sum(bool(kinds & output.get("data", {}).keys()) for output in shown) == pictures
    assert said in "".join(output.get("text", "") + output.get("data", {}).get("text/html", "") for output in shown)
    assert not [output.text for output in shown if output.output_type == "stream" and output.name == "stderr"]


@pytest.mark.slow
def test_before_a_run_the_first_cell_says_in_one_line_what_to_run(tmp_path):
    (tmp_path / "Snakefile").touch()
    (tmp_path / "notebooks").mkdir()
    notebook = opened(ROOT / "notebooks" / "03_results.ipynb")
    with pytest.raises(CellExecutionError):
        run(notebook, tmp_path)
    (error,) = outputs(notebook)
    (line,) = error.traceback
    assert line.startswith("InputError: ") and line.endswith(
        "run `snakemake --cores 8 all --configfile config/tiny.yaml` there first"
    )
