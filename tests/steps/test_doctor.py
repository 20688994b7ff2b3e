"""Each state is made for real in a project of its own; what `doctor` says of it is one line."""

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from settings_files import CONFIG

from vldeformer.artifact import whole_folder
from vldeformer.cli import main
from vldeformer.project import environment_checks
from vldeformer.project.environment_checks import check_disk, check_leftovers, check_lock, check_packages, check_python
from vldeformer.project.made_with import check_made_with
from vldeformer.project.run_checks import check_run
from vldeformer.project.version_checks import check_dvc, check_locked_versions

LOCK = CONFIG.parent / "requirements.lock"


def run(folder, *command):
    program = Path(sys.executable).with_name(command[0])
    return subprocess.run(
        [program if program.exists() else command[0], *command[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    shutil.copytree(CONFIG, tmp_path / "config")
    for name in ("Snakefile", "requirements.lock"):
        shutil.copy(CONFIG.parent / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_lock_is_for_another_python(project):
    assert list(check_python(project)) == []
    text = LOCK.read_text().replace("for Python 3.11", "for Python 3.9")
    (project / "requirements.lock").write_text(text)
    (line,) = check_python(project)
    assert line.startswith("Python 3.") and "made for 3.9: `make setup PYTHON=" in line


def test_artifacts_of_other_package_versions_are_counted(project):
    import numpy
    import torch

    def record(name, **packages):
        folder = project / "artifacts" / "tiny" / name / "train"
        folder.mkdir(parents=True)
        (folder / "provenance.json").write_text(json.dumps({"packages": packages}))

    record("a", torch=torch.__version__, numpy=numpy.__version__, tqdm="0.1")
    assert list(check_made_with(project)) == []
    record("b", torch="1.0.0+cpu", numpy=numpy.__version__)
    record("c", torch="1.0.0", numpy="1.2.3")
    (project / "artifacts" / "tiny" / "c" / "tokenizer.provenance.json").write_text("cut short {")
    numpy_line, torch_line = check_made_with(project)
    assert numpy_line.startswith(
        f"1 artifacts were made with numpy 1.2.3, installed is {numpy.__version__}, first artifacts/tiny/c"
    )
    assert (
        torch_line.startswith("2 artifacts were made with torch 1.0.0, installed is ") and "artifacts/tiny/b/train" in torch_line
    )


def test_packages_that_differ_from_the_lock_are_counted(project):
    (project / "requirements.lock").write_text("numpy==0.0.1\nno-such-package==1.0\n")
    (line,) = check_packages(project)
    assert line.startswith("2 packages are not as requirements.lock says, first numpy ") and line.endswith("`make setup`")
    (project / "requirements.lock").unlink()
    (line,) = check_packages(project)
    assert line.startswith("requirements.lock is not here")


def test_a_full_disk(project, monkeypatch):
    assert list(check_disk(project)) == []
    monkeypatch.setattr(environment_checks, "NEEDED_BYTES", shutil.disk_usage(project).total + 1)
    (line,) = check_disk(project)
    assert re.search(r"MiB are free on this disk, a run may need [\d,]+: make room", line)


@pytest.mark.slow
def test_a_killed_snakemake_leaves_a_lock_that_is_found(project):
    (project / "Snakefile").write_text('rule all:\n    output: "a"\n    shell: "echo $$ > started; exec sleep 60"\n')
    words = [Path(sys.executable).with_name("snakemake"), "--cores", "1"]
    running = subprocess.Popen(words, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    started = project / "started"
    deadline = time.monotonic() + 300
    while not (started.exists() and started.read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.1)
    running.kill()
    running.wait()
    subprocess.run(["kill", started.read_text().strip()], check=True)
    (line,) = check_lock(project)
    assert "`snakemake --unlock`" in line
    refused = run(project, "snakemake", "--cores", "1")
    assert refused.returncode == 1 and "Directory cannot be locked" in refused.stdout + refused.stderr


def test_what_killed_runs_leave_is_found(project):
    (project / "artifacts/tiny/base/train.run").mkdir(parents=True)
    (project / "raw/tiny/downloads").mkdir(parents=True)
    (project / "raw/tiny/downloads/images.zip.part").touch()
    (project / "artifacts/tiny/base/.store.digest.json").touch()
    with whole_folder(project / "artifacts/tiny/base/embed"):  # as it lies there while it is written
        unfinished, temporary = check_leftovers(project)
    assert unfinished.startswith("2 unfinished, first artifacts/tiny/base/train.run: run the same command again")
    assert temporary.startswith("1 temporary files or folders of killed runs, first artifacts/tiny/base/.embed.")
    shutil.rmtree(project / "artifacts/tiny/base/train.run")
    (project / "raw/tiny/downloads/images.zip.part").unlink()
    assert list(check_leftovers(project)) == []


def test_a_run_that_cannot_begin(project):
    assert check_run(project, Path("config/default.yaml")) == []
    (line,) = check_run(project, Path("config/flickr8k.yaml"))
    first = "1 raw files of data set flickr8k are not here, first ../shared/data/flickr8k/"
    assert line.startswith(first) and line.endswith(": config/datasets/flickr8k.yaml says where they come from (raw_dir)")
    source = project / "config/datasets/flickr8k.yaml"
    source.write_text(source.read_text().replace("../shared/data/flickr8k", "photos/flickr8k"))
    (project / "photos.dvc").touch()
    (line,) = check_run(project, Path("config/flickr8k.yaml"))
    assert line.endswith(": `dvc pull photos.dvc`")
    (line,) = check_run(project, Path("config/none.yaml"))
    assert line == f"settings: {project / 'config/none.yaml'}: expected a settings file, found none"
    base = project / "config/experiments/decomposed.yaml"
    text = base.read_text()
    base.write_text(text.replace("device: cpu", "device: cuda"))
    import torch

    expected = [] if torch.cuda.is_available() else ["settings: runtime.device is cuda but torch sees no GPU here"]
    assert [line.partition(";")[0] for line in check_run(project, Path("config/tiny.yaml"))] == expected
    base.write_text(text.replace("device: cpu", "device: abacus"))
    (line,) = check_run(project, Path("config/tiny.yaml"))
    assert line.startswith("settings: ") and "runtime.device: expected 'cpu' or 'cuda', got 'abacus'" in line


@pytest.mark.slow
def test_what_dvc_lacks_is_said_one_after_the_other(project):
    assert list(check_dvc(project)) == [], "a project without DVC"
    (project / "dvc.yaml").write_text("stages: {}\n")
    run(project, "git", "init", "-q")
    (line,) = check_dvc(project)
    assert line.startswith("DVC is not initialised")
    run(project, "dvc", "init", "-q")
    (line,) = check_dvc(project)
    assert line.startswith("DVC has no default remote: `dvc remote add -d NAME URL`")
    run(project, "dvc", "remote", "add", "-q", "-d", "store", "dvc-store")
    (project / "data").mkdir()
    (project / "data" / "a.txt").write_text("raw")
    run(project, "dvc", "add", "-q", "data")
    (line,) = check_dvc(project)
    assert line.startswith("DVC's remote store is not there: ") and str(project / "dvc-store") in line
    assert run(project, "dvc", "push", "-q").returncode == 0
    shutil.rmtree(project / ".dvc" / "cache")
    (line,) = check_dvc(project)
    assert line.startswith("data is not in DVC's cache: `dvc fetch data.dvc`")
    shutil.rmtree(project / "data")
    assert list(check_dvc(project)) == [], "a fresh clone, in which the run makes them"


def test_a_lock_file_that_is_not_as_committed(project):
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b.c")
    (project / "dvc.lock").write_text("schema: '2.0'\n")
    (project / "data.dvc").write_text("outs: []\n")
    run(project, "git", "init", "-q")
    run(project, "git", "add", "dvc.lock", "data.dvc")
    assert run(project, *git, "commit", "-q", "-m", "x").returncode == 0
    assert list(check_locked_versions(project)) == []
    (project / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    (line,) = check_locked_versions(project)
    assert line.startswith("dvc.lock differs from the last commit: look at `git diff dvc.lock`")
    (project / "dvc.lock").write_text("<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n")
    (line,) = check_locked_versions(project)
    assert line.startswith("dvc.lock holds the two sides of a merge")


def test_the_command_ends_with_1_and_a_line_a_problem_or_with_0(project, capsys):
    (project / "requirements.lock").write_text("")
    assert main(["doctor", "--configfile", "config/tiny.yaml"]) == 0
    assert capsys.readouterr().out == "nothing found\n"
    (project / ".snakemake" / "locks").mkdir(parents=True)
    (project / ".snakemake" / "locks" / "0.output.lock").touch()
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--configfile", "config/none.yaml"])
    assert ended.value.code == 1 and len(capsys.readouterr().out.splitlines()) == 2
    (project / "Snakefile").unlink()
    assert main(["doctor"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("expected the folder of the project, found no Snakefile; change into it")
