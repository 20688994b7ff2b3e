"""A copy of the workflow in a folder of its own, and a stand-in for the command line that makes files at once.

The stand-in is for tests of the graph only: what runs, when, in which order. `test_fresh_clone` runs the real stages.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

STAND_IN = """#!{python} -S
import json, os, sys, time, zlib
stage, rest = sys.argv[1], sys.argv[2:]
out = rest[rest.index("--out") + 1]
inputs = [a.split("=")[-1] for a in rest if "/" in a and a != out]
missing = [path for path in inputs if not os.path.exists(path) and not path.startswith(("raw/", "data/", "results/"))]
if missing or os.path.exists("fail-" + stage):
    sys.exit(f"stand-in for {{stage}} fails, missing: {{missing}}")
settings = open(rest[rest.index("--settings") + 1]).read() if "--settings" in rest else ""
read = [os.path.join(top, name) for path in inputs for top, _, names in os.walk(path) for name in names] + inputs
read = sorted(path for path in read if os.path.isfile(path) and not path.startswith("results/"))
settings += str(zlib.crc32(b"".join(open(path, "rb").read() for path in read)))
RECORD = "report.provenance.json"
TABLES = ("headline", "recall", "recall_drop", "speed", "rerank", "compositional", "negatives", "start", "depth", "temperature")
FIGURES = ("recalls", "training", "gallery_time", "rerank", "depth_cost", "temperature")
forms = [f"tables/{{t}}.{{f}}" for t in TABLES for f in ("md", "csv", "tex", "sources.json")]
forms += [f"figures/{{t}}.{{f}}" for t in FIGURES for f in ("svg", "png")]
forms += [f"plots/{{c}}.csv" for c in ("recall", "training", "validation", "gallery_time")] + ["metrics.json", "report.json"]
depths = [f"depth_{{k}}.{{f}}" for k in range(1, 100) for f in ("json", "ranks.parquet")] if stage == "rerank" else []
files = {{
    "prepare": ["manifest.json", "pixels/pixels.npy"], "features": ["store/words.json", "extractor.npz", "extractor.safetensors"],
    "pretrain": ["model/weights", "journal.jsonl"], "train": ["model/weights", "journal.jsonl"],
    "negatives": ["text.parquet", "image.parquet", "summary.json"], "report": [RECORD, *forms],
    "ablations": [RECORD, *forms], "rerank": ["rerank.json", *depths], "compositional-items": ["swap_att.json"],
    "embed": ["images.npy"], "score": ["scores.npy"], "score-oracle": ["scores.npy"],
    "score-lexical": ["scores.npy"],
}}.get(stage)
paths = [os.path.join(out, name) for name in files] if files else [out]
if stage == "compositional":
    paths.append(out.replace(".json", ".items.parquet"))
if stage == "evaluate":
    paths.append(out.replace(".json", ".ranks.parquet"))
if stage in ("train", "pretrain"):
    os.makedirs(f"training/{{os.getpid()}}")
    with open("side-by-side", "a") as file:
        file.write(f"{{len(os.listdir('training'))}}\\n")
    time.sleep(0.05)
for path in paths:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(json.dumps(stage + settings) if path.endswith(".json") else stage + settings)
if stage in ("train", "pretrain"):
    os.rmdir(f"training/{{os.getpid()}}")
with open("calls", "a") as file:
    file.write(f"{{stage}} {{out}}\\n")
threads, workers = os.environ["OMP_NUM_THREADS"], os.environ["LOKY_MAX_CPU_COUNT"]
print(f"{{stage}} is done, BLAS threads: {{threads}}, processes: {{workers}}")
"""


class Project:
    """The folder, and snakemake in it."""

    def __init__(self, folder):
        self.folder = folder

    def snakemake(self, *arguments, config="tiny", fails=False):
        """Run snakemake to the end; returns what it printed."""
        return self.run("snakemake", "--configfile", f"config/{config}.yaml", *arguments, fails=fails)

    def run(self, *command, fails=False):
        """Run any program of the environment, the stand-in first on PATH; returns what it printed."""
        path = os.pathsep.join([str(self.folder.parent / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
        code = self.folder / "src" if (self.folder / "src").is_dir() else ROOT / "src"
        environment = os.environ | {"PATH": path, "PYTHONPATH": str(code), "GIT_CONFIG_GLOBAL": os.devnull}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        printed = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, printed
        return printed

    def ran(self):
        """Stages that ran since the last question, as (stage, output) in the order in which they did."""
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [tuple(line.split()) for line in lines]

    def calls(self):
        """The same sorted."""
        return sorted(self.ran())

    def edit(self, name, old, new):
        """Replace a text that must be there once."""
        path = self.folder / name
        text = path.read_text()
        assert text.count(old) == 1
        path.write_text(text.replace(old, new))


def copy_of_workflow(folder):
    for name in ("workflow", "config", "profiles"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("Snakefile", "environment.yml", ".dvcignore", ".gitignore"):
        shutil.copy(ROOT / name, folder / name)
    return Project(folder)


def with_stand_in(folder):
    (folder / "bin").mkdir()
    program = folder / "bin" / "vldeformer"
    program.write_text(STAND_IN.format(python=sys.executable))
    program.chmod(0o755)
    return copy_of_workflow(folder / "project")
