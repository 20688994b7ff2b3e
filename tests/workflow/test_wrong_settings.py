"""What Snakemake prints of a mistake in a settings file or option: one line that names file, key and value, and exit code 2."""

import subprocess
import sys
from pathlib import Path

import pytest

MISPLACED = "here; it belongs in a file of config/experiments or config/datasets"


def refusal(project, *arguments):
    snakemake = str(Path(sys.executable).with_name("snakemake"))
    done = subprocess.run([snakemake, "-n", *arguments], cwd=project.folder, capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if not line.startswith(("Using workflow specific", "Config file config/"))]
    assert done.returncode == 2 and len(said) == 1, done.stderr
    return said[0].removeprefix("vldeformer: ").replace(f"{project.folder}/", "")


def test_a_mistake_in_an_experiment(real_project):
    real_project.edit("config/experiments/decomposed.yaml", "  temperature: 0.07", "  temprature: 0.07")
    unknown = (
        "config/experiments/decomposed.yaml: setting train.loss.temprature is unknown for kind infonce; "
        "did you mean train.loss.temperature?"
    )
    assert refusal(real_project) == unknown


def test_a_key_given_twice_in_the_configfile(real_project):
    with (real_project.folder / "config" / "tiny.yaml").open("a") as file:
        file.write("dataset: scenes\n")
    said = refusal(real_project, "--configfile", "config/tiny.yaml")
    assert "config/tiny.yaml line 7: expected YAML, got an error: key 'dataset' is given twice" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--config", "train={temperature: 0.02}"],
            f"--config: setting train is unknown {MISPLACED}",
        ),
        (["--config", "experiments=joint"], "--config: setting experiments: expected keys and their values, got 'joint'"),
        (
            ["--configfile", "config/experiments/joint.yaml"],
            "config/experiments/joint.yaml: setting title is unknown here; it belongs in a file of config/experiments",
        ),
    ],
)
def test_a_mistake_on_the_command_line(real_project, arguments, said):
    assert refusal(real_project, *arguments) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"dataset: [scenes\n", " line 2: expected YAML, got an error: did not find expected ',' or ']'"),
        (b"- scenes\n", ": expected sections of settings, got list"),
        (b"# nothing\n", ": expected keys and their values, found none"),
        (b"dataset: \xff\n", ": expected YAML in UTF-8, got an error: 'utf-8' codec can't decode byte 0xff in position 9"),
        (None, ": expected a settings file, found none"),
    ],
)
def test_the_default_configfile_is_read_before_snakemake_reads_it(real_project, text, said):
    path = real_project.folder / "config" / "default.yaml"
    path.write_bytes(text) if text else path.unlink()
    assert refusal(real_project).startswith(f"config/default.yaml{said}")


def test_another_configfile_does_without_the_default_one(real_project):
    (real_project.folder / "config" / "default.yaml").unlink()
    assert "Job stats" in real_project.snakemake("-n", "all")
