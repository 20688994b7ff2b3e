# Everything happens in .venv beside this file; Python 3.11, git and make are all that must be there.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# PyTorch without CUDA: 200 MB instead of 3 GB. For a GPU: make setup TORCH_INDEX=
TORCH_INDEX ?= --extra-index-url https://download.pytorch.org/whl/cpu
# More than there are makes jobs wait for each other.
CORES ?= all

export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: setup reproduce test test-fast campaign audit test-pipelines record-versions wheel-check lint format lock notebooks readme picture release settings-page rule-graph rooms dvc-stages plots benchmarks verify doctor

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "$(PYTHON) is not Python 3.11, for which requirements.lock was made; name one: make setup PYTHON=/path/to/python3.11"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --no-deps $(TORCH_INDEX) "$$(grep '^torch==' requirements.lock)"
	$(BIN)/python -m pip install -r requirements.lock
	$(BIN)/python -m pip install --no-deps -e .
	touch $@

# Set up, then run the whole pipeline: tables and figures in results/scenes.
reproduce: setup
	snakemake --cores $(CORES) all

# Three workers on two cores: tests wait for DVC and servers.
test: setup
	python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not pipeline"

# Whole runs of tiny worlds by the real steps: by both engines, from a clone, from tiny downloads of the paper's data, by SLURM.
test-pipelines: setup
	python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m pipeline tests/workflow

# While you work: 90 to 150 s on 2 quiet cores, by processor.
test-fast: setup
	python -m pytest -n 2 --dist loadfile -m "not (browser or gather or hub or pipeline or slow or workflow)"

# Kills, damage and hostile requests by the hundred: half an hour on 2 quiet cores. It ends in "N tried, M wrong" of each kind.
campaign: setup
	CAMPAIGN_KILLS=40 python -m pytest -s tests/campaign tests/serve/test_uploads.py tests/serve/test_guard.py tests/serve/test_server.py

# Known vulnerabilities of the locked packages; exit code 3 and "not run" if the service that knows them is out of reach.
audit: setup
	workflow/audit.sh

# Does the wheel work in a new environment with base dependencies only?
wheel-check: setup
	PYTHON="$(PYTHON)" TORCH_INDEX="$(TORCH_INDEX)" .ci/wheel

lint: setup
	ruff check .
	ruff format --check .
	mypy
	lint-imports
	snakefmt --check Snakefile workflow
	snakemake --lint

# Do git, DVC and Snakemake agree that nothing is to be done?
verify: setup
	workflow/verify.sh

# Look for what is commonly wrong here: a line each, with what to do.
doctor: setup
	vldeformer doctor

format: setup
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow

# Newest versions of what pyproject.toml asks for, in a fresh environment; environment.yml gets the same pins.
lock:
	rm -rf .venv-lock
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install $(TORCH_INDEX) '.[dev]'
	.venv-lock/bin/python -m pip freeze --exclude vldeformer > .venv-lock/freeze.txt
	$(MAKE) --no-print-directory pins FREEZE=.venv-lock/freeze.txt
	rm -rf .venv-lock

# requirements.lock and environment.yml from the output of pip freeze.
.PHONY: pins
pins:
	@{ echo "# Exact versions of all packages. Made by make lock from pyproject.toml for Python 3.11; do not edit."; \
	   sed 's/+cpu$$//' $(FREEZE); } > requirements.lock
	@{ echo "# The pins of requirements.lock for conda or mamba: conda env create -f environment.yml && pip install --no-deps -e ."; \
	   echo "# Made by make lock; do not edit."; \
	   printf '%s\n' 'name: vldeformer' 'channels:' '  - conda-forge' 'dependencies:' '  - python=3.11' '  - pip' '  - pip:'; \
	   grep -v '^#' requirements.lock | sed 's/^/      - /'; } > environment.yml

# Run the notebooks on the stored results; the copies with output go to artifacts/notebooks.
notebooks: setup
	jupyter nbconvert --to notebook --execute --output-dir artifacts/notebooks notebooks/*.ipynb

# Write the tables, figures and verdicts of the finished runs into README.md and docs/results.md.
readme: setup
	python docs/readme_results.py

# Draw docs/pictures/front.png, the picture of README.md, from the finished run of scenes; needs Chromium and a few minutes.
picture: setup
	python docs/front_picture.py

# Make a new version of pyproject.toml, CITATION.cff and CHANGELOG.md: make release VERSION=1.2.3
release:
	.ci/release "$(VERSION)"

# Write config/keys.md from the descriptions in the code.
settings-page: setup
	python docs/settings_page.py
	python docs/settings_schemas.py

# Run the benchmarks of benchmarks/README.md, then write docs/benchmarks.md: half an hour on 2 quiet cores. Some: make benchmarks NAMES="embed page"
benchmarks: setup
	python benchmarks/run.py $(NAMES)

# Write docs/rule-graph.svg from the rules.
rule-graph: setup
	python docs/rule_graph.py

# Record what the steps compute for a VERSION that has nothing recorded yet; some: make record-versions STEPS="train embed"
record-versions: setup
	PYTHONPATH=src:tests python -m fingerprints.record $(STEPS)

# Write docs/rooms.svg from the import contract and the table of docs/architecture.md.
rooms: setup
	python docs/rooms_picture.py

# Write dvc.yaml from the rules; of other runs too: make dvc-stages RUNS="default coco_vinvl"
RUNS ?= default
dvc-stages: setup
	python workflow/dvc_stages.py $(RUNS)

# The curves that DVC knows on a page that needs no network, dvc_plots/index.html; or PLOTS="diff HEAD~1".
PLOTS := show
plots: setup
	python workflow/plots_template.py .dvc/tmp/plots.html
	dvc plots $(PLOTS) --html-template .dvc/tmp/plots.html
