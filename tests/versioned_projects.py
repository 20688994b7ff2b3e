"""A project in git and DVC: the tiny world with two models, which is enough for every stage of dvc.yaml to be there once."""

import os
import re
import shutil
from pathlib import Path

import yaml
from workflow_projects import ROOT, Project

LEFT_OUT = {"oracle", "untrained_joint", "no_negatives", "scratch", "untrained"}
CONFIG = ["--configfile", "config/tiny.yaml"]
GIT = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"]


class Versioned(Project):
    """A folder with git and DVC."""

    def git(self, *arguments):
        return self.run(*GIT, *arguments)

    def commit(self, message):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def clone(self, folder):
        """What `git clone` brings, beside a copy of the programs."""
        folder.mkdir(parents=True)
        if (self.folder.parent / "bin").is_dir():
            (folder / "bin").symlink_to(self.folder.parent / "bin")
        made = Versioned(folder / "clone")
        self.run("git", "clone", "-q", str(self.folder), str(made.folder))
        return made

    def copy(self, folder):
        """All of it, times included."""
        folder.mkdir(parents=True)
        if (self.folder.parent / "bin").is_dir():
            (folder / "bin").symlink_to(self.folder.parent / "bin")
        shutil.copytree(self.folder, folder / "copy", symlinks=True, ignore=shutil.ignore_patterns("locks", "incomplete"))
        return Versioned(folder / "copy")

    def verify(self, fails=False):
        return self.run("workflow/verify.sh", *CONFIG, fails=fails)

    def set(self, old, new):
        """Change the settings of all experiments."""
        self.edit("config/experiments/decomposed.yaml", old, new)


def without(names, value):
    """A value of dvc.yaml without the lines that name one of these models."""
    if isinstance(value, dict):
        return {key: without(names, each) for key, each in value.items() if not _named(names, str(key))}
    if isinstance(value, list):
        return [
            without(names, each) for each in value if not _named(names, each if isinstance(each, str) else str(next(iter(each))))
        ]
    return value


def _named(names, text):
    return bool(names & set(re.split(r"[/.:]", text)))


def versioned(project, code):
    """Make the project one of two models, with raw files under data/, and put it under git and DVC; ``code`` is copied to src."""
    folder = project.folder
    stages = without(LEFT_OUT, yaml.safe_load((folder / "dvc.yaml").read_text()))
    stages["vars"][0] |= {"dataset": "tiny", "run": "tiny", "raw": "data/tiny"}
    (folder / "dvc.yaml").write_text(yaml.safe_dump(stages, sort_keys=False))
    run = {"dataset": "tiny", "experiments": {"all": ["joint", "decomposed"], "ablations": []}}
    (folder / "config" / "tiny.yaml").write_text(yaml.safe_dump(run))
    project.edit("config/datasets/tiny.yaml", "raw/tiny  ", "data/tiny")
    ignored = (folder / ".gitignore").read_text()
    (folder / ".gitignore").write_text(
        ignored.replace("/results/tiny/\n", "").replace("/dvc-store/\n", "") + "/calls\n/training\n"
    )
    if code is not None:
        shutil.copytree(code, folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    made = Versioned(folder)
    made.git("init", "-q")
    made.run("dvc", "init", "-q")
    shutil.copy(ROOT / ".dvc" / "config", folder / ".dvc" / "config")
    shutil.copytree(ROOT / ".dvc" / "plots", folder / ".dvc" / "plots")
    return made


def adopt(project):
    """Run all by Snakemake, adopt it by DVC, put the raw data into the store beside the code, commit."""
    project.snakemake("--cores", "2", "all")
    project.run("dvc", "add", "-q", "--no-relink", "data")
    project.run("dvc", "commit", "-q", "-f", "--no-relink")
    project.run("dvc", "push", "-q", "data.dvc")
    project.commit("first run")
    return project


def stand_in_code(folder):
    """Folders that stages of dvc.yaml depend on, with nothing in them that runs."""
    names = ("data", "inputs", "models", "objective", "training", "retrieval", "evaluation", "report")
    for path in [*(f"{name}/code.py" for name in names), "plan.py", "config.py"]:
        (folder / "vldeformer" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "vldeformer" / path).touch()
    return folder


def renew(path: Path) -> None:
    """Give a file the time of now."""
    os.utime(path)
