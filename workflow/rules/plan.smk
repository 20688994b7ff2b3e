"""The plan of this run: checked settings of its experiments, where its data are, and what every command starts with.

A step reads one settings file, which is an input of its rule: the step's VERSION and its sections. Rules ask the plan for the file
when Snakemake asks them for their inputs; the plan writes it only if its bytes change. So a step runs again exactly when its
VERSION or a setting that it reads has changed, in a fresh clone as well. No rule depends on a source file.
"""

import re
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from vldeformer.artifact import RECORD, read_json
from vldeformer.errors import InputError
from vldeformer.planning.layers import merge_layers, read_layer
from vldeformer.planning.plan import RERANKED, SHARED_HOME, load_plan
from vldeformer.planning.run import Run
from vldeformer.planning.step_sections import JUDGED_BY
from vldeformer.training.optimizer_settings import RetrievalTraining

try:
    # Later ones win: the configfile that the Snakefile names, those of `--configfile`, `--config`.
    _files = [*workflow.configfiles[-1:], *workflow.configfiles[:-1]]
    _layers = [*(read_layer(Path(file)) for file in _files), ("--config", workflow.config_settings.config)]
    # Snakemake merges mappings key by key. A configfile's `experiments` are all that its run has: no `seeds` of the default.
    if any("experiments" in values for _, values in _layers[1:-1]):
        _layers[0][1].pop("experiments", None)
    PLAN = load_plan(Path(workflow.basedir) / "config", merge_layers(_layers, Run), _layers)
    BASE = PLAN.base
    if workflow.is_main_process and (_problem := missing_raw_files()):
        raise InputError(_problem)
except InputError as error:
    print(f"vldeformer: {error}", file=sys.stderr)  # one line; Snakemake would put lines of this file around an error
    sys.exit(2)


DATASET = PLAN.run.dataset
EXPERIMENTS, ABLATED = PLAN.experiments, PLAN.ablated
RAW_DIR = BASE.dataset.raw_dir
RAW = [literal(f"{RAW_DIR}/{file}") for file in BASE.dataset.raw_files]
BUILT_IN = BASE.dataset.made_here
VINVL = not BASE.dataset.gives_pixels
PARTS = BASE.dataset.named_parts
# Region stores by name, and whose they are: one data set's is the store itself, several are joined in one.
REGION_STORES = PARTS if len(PARTS) != 1 else {"store": next(iter(PARTS.values()))}

# What every shell command starts with. A prefix takes the place of Snakemake's own, which stops at the first error, so it says
# that again. Snakemake gives BLAS as many threads as the rule has, and `--cores` would change the float sums: the setting
# decides. As many as the rule has are the processes of joblib, whose number changes no result. The programs are those beside
# the Python that runs Snakemake, also when that environment is not activated.
THREADS = BASE.runtime.threads * BASE.runtime.processes
# A cluster has no `--cores`: a job asks for as many as it uses, and so does the Snakemake inside that job, which sees the node's.
ALL_CORES = (workflow.is_main_process and workflow.resource_settings.cores) or THREADS
shell.prefix(
    f"set -euo pipefail; export PYTHONUNBUFFERED=1 PATH=$PATH:{shlex.quote(str(Path(sys.executable).parent))}"
    " LOKY_MAX_CPU_COUNT=$OMP_NUM_THREADS"
    + "".join(f" {library}_NUM_THREADS={BASE.runtime.threads}" for library in ("OMP", "OPENBLAS", "MKL"))
    + "; "
)


wildcard_constraints:
    home="[^/]+",
    experiment="[^/]+",
    protocol="|".join(["subset", "test", *BASE.report.published_protocols]),
