"""What is to be run: checked settings, each stage's own settings file, and where its artifacts lie.

A rule's parameters are a file among its inputs, written here whenever the workflow is read and only if its bytes change.
So a stage runs again exactly when a setting that it reads has changed, in a fresh clone as well.
"""

import re
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from vldeformer.artifact import RECORD, read_json
from vldeformer.errors import InputError
from vldeformer.layers import read_layer
from vldeformer.plan import JUDGED_BY, STEP_SECTIONS, load_plan, section_values

try:
    # Later ones win: the configfile that the Snakefile names, those of `--configfile`, `--config`.
    _files = [*workflow.configfiles[-1:], *workflow.configfiles[:-1]]
    _layers = [*(read_layer(Path(file)) for file in _files), ("--config", workflow.config_settings.config)]
    PLAN = load_plan(Path(workflow.basedir) / "config", config, _layers)
    DATASET = PLAN.run.dataset
    EXPERIMENTS, ABLATED = PLAN.experiments, PLAN.ablated
    for _experiment in PLAN.settings:
        for _step in STEP_SECTIONS:
            PLAN.settings_file(PLAN.home(_experiment, _step), _step)
    # Snakemake takes what is there for up to date if a file that it would be made of is missing. So it is if it was made by
    # these settings; else a file that is misspelt in them would end in "Nothing to be done".
    _record = Path(f"artifacts/{DATASET}/base/prepare/{RECORD}")
    _made = _record.exists() and read_json(_record).get("settings") == section_values(PLAN.base, STEP_SECTIONS["prepare"])
    if workflow.is_main_process and not _made and (_missing := PLAN.missing_raw_files(Path())):
        raise InputError(_missing)
except InputError as error:
    print(f"vldeformer: {error}", file=sys.stderr)  # one line; Snakemake would put lines of this file around an error of its own
    sys.exit(2)

RAW_DIR = PLAN.base.dataset.raw_dir
BUILT_IN = PLAN.base.dataset.made_here
VINVL = not PLAN.base.dataset.gives_pixels
RAW = [f"{RAW_DIR}/{file}" for file in PLAN.base.dataset.raw_files]
PARTS = PLAN.base.dataset.named_parts
# Region stores by name, and whose they are: one data set's is the store itself, several are joined in one.
REGION_STORES = PARTS if len(PARTS) != 1 else {"store": next(iter(PARTS.values()))}

# What every shell command starts with. A prefix takes the place of Snakemake's own, which stops at the first error, so it says
# that again. Snakemake gives BLAS as many threads as the rule has, and `--cores` would change the float sums: the setting
# decides. As many as the rule has are the processes of joblib, whose number changes no result. The programs are those beside
# the Python that runs Snakemake, also when that environment is not activated.
_threads = PLAN.base.runtime.threads
THREADS = _threads * PLAN.base.runtime.processes
# A cluster has no `--cores`: a job asks for as many as it uses, and so does the Snakemake inside that job, which sees the node's.
ALL_CORES = (workflow.is_main_process and workflow.resource_settings.cores) or THREADS
shell.prefix(
    f"set -euo pipefail; export PYTHONUNBUFFERED=1 PATH=$PATH:{shlex.quote(str(Path(sys.executable).parent))}"
    " LOKY_MAX_CPU_COUNT=$OMP_NUM_THREADS"
    f" OMP_NUM_THREADS={_threads} OPENBLAS_NUM_THREADS={_threads} MKL_NUM_THREADS={_threads}; "
)


wildcard_constraints:
    home="[^/]+",
    experiment="[^/]+",
    protocol="|".join(["subset", "test", *PLAN.base.report.published_protocols]),
