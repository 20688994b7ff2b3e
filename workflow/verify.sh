#!/usr/bin/env bash
# Do git, DVC and Snakemake agree that nothing is to be done, with the packages that are installed? One line for each that does not, and exit code 1. Run by `make verify`.
# Arguments go to Snakemake, e.g. --configfile config/tiny.yaml. Nothing is changed.
set -uo pipefail
cd "$(dirname "$0")/.."
agreed=true
disagree() {
    echo "$1" >&2
    agreed=false
}

git diff --quiet HEAD -- data.dvc dvc.lock ||
    disagree "git: data.dvc or dvc.lock is not as committed, so raw data or results are others: git diff data.dvc dvc.lock, then commit or take back"
# First, because planning writes the settings files, which DVC then compares.
[[ "$(snakemake "$@" --dry-run --cores 1 all 2>&1)" == *"Nothing to be done"* ]] ||
    disagree "Snakemake: steps are to be run: snakemake -n all names them; if DVC is content, only times differ: snakemake --cores 1 --touch all"
dvc status --quiet ||
    disagree "DVC: settings, versions of steps or files are not those of dvc.lock: dvc status names them; dvc repro makes them, dvc checkout brings them back"
python -m vldeformer.project.made_with ||
    disagree "Results: the lines above name packages of which another version made them"
stored=()
for folder in artifacts results; do [[ -d $folder ]] && stored+=("$folder"); done
if ((${#stored[@]})); then
    python -m vldeformer.cli verify "${stored[@]}" > >(grep -v -e ": no fault found$" -e " no digest" >&2) ||
        disagree "Stored files: the lines above name those that are not as they were written: bring them back (dvc checkout, git checkout) or make them again"
fi
$agreed && echo "DVC and Snakemake agree: nothing is to be done"
