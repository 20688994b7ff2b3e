"""A project in git and DVC: the tiny world with two models, which is enough for a stage of every step but the oracle's."""

import os
import re
import shutil
import sys
from pathlib import Path

import yaml
from workflow_projects import ROOT, Project

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

    def raise_version(self, step):
        """What a change of a step's code that changes its results does."""
        module = self.folder / "src" / "vldeformer" / "steps" / f"{step.replace('-', '_')}.py"
        text, raised = re.subn(
            r"^VERSION = (\d+)$", lambda found: f"VERSION = {int(found[1]) + 1}", module.read_text(), flags=re.M
        )
        assert raised == 1
        module.write_text(text)

    def set(self, old, new):
        """Change the settings of all experiments."""
        self.edit("config/experiments/decomposed.yaml", old, new)


def versioned(project):
    """Make the project one of two models, with its own code and raw files under data/, and put it under git and DVC."""
    folder = project.folder
    run = {"dataset": "tiny", "experiments": {"all": ["joint", "decomposed"], "ablations": []}}
    (folder / "config" / "tiny.yaml").write_text(yaml.safe_dump(run))
    project.edit("config/datasets/tiny.yaml", "raw/tiny  ", "data/tiny")
    ignored = (folder / ".gitignore").read_text()
    (folder / ".gitignore").write_text(
        ignored.replace("/results/tiny/\n", "").replace("/dvc-store/\n", "") + "/calls\n/training\n"
    )
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    made = Versioned(folder)
    made.run(sys.executable, "workflow/dvc_stages.py", "tiny")
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


def renew(path: Path) -> None:
    """Give a file the time of now."""
    os.utime(path)
