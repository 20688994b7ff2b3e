"""Targets of make and Snakemake and stages of DVC that README and docs name are there."""

import re
import shlex
from pathlib import Path

import yaml
from page_commands import PAGES, shown_commands

ROOT = Path(__file__).parents[1]
WITH_A_VALUE = {
    "--cores",
    "--config",
    "--configfile",
    "--profile",
    "--report",
    "--default-resources",
    "--set-resources",
    "--archive",
}
"""Options of Snakemake whose values are no targets; those of `--until` and `--forcerun` are rules."""


def commands(program):
    """(page, command) of a program on all pages: in blocks, without comments, and in the text."""
    yield from ((one.page, one.command) for one in shown_commands() if one.command.startswith(f"{program} "))
    for page in PAGES:
        written = re.findall(rf"`({program} [^`\n]*)`", page.read_text(encoding="utf-8"))
        yield from ((page.name, each.strip()) for each in written)


def words_after_options(command):
    """The words of a command of Snakemake that name rules or files."""
    words, taken = shlex.split(command.split("&&")[0])[1:], False
    for word in words:
        if word.startswith("-"):
            taken = word in WITH_A_VALUE
        elif not taken or ("=" not in word and "/" not in word and not word.isdecimal() and word != "all"):
            yield word


def test_the_stages_of_dvc_that_are_named_are_there():
    named = {name for _, line in commands("dvc repro") for name in re.findall(r"repro (?:--?[\w-]+ )*([a-z][\w@-]+)", line)}
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    there = {f"{name}@{key}" for name, stage in stages.items() for key in stage.get("foreach", {})} | stages.keys()
    own = {name for name in named if not name.startswith("coco_vinvl-")}
    assert len(own) >= 2 and own <= there
    assert {name.removeprefix("coco_vinvl-").split("@")[0] for name in named - own} <= stages.keys()


def test_the_targets_of_make_that_are_named_are_there():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = {(page, line.split()[1]) for page, line in commands("make") if re.fullmatch(r"[a-z-]+", line.split()[1])}
    assert len(named) > 10
    assert {each for each in named if each[1] not in targets} == set()


def test_the_targets_of_snakemake_that_are_named_are_rules():
    rules = [ROOT / "Snakefile", *(ROOT / "workflow" / "rules").glob("*.smk")]
    there = {name for path in rules for name in re.findall(r"^ *(?:use )?rule (?:\w+ as )?(\w+)", path.read_text(), re.M)}
    named = {(page, word) for page, line in commands("snakemake") for word in words_after_options(line)}
    assert {"all", "ablations", "everything"} <= {word for _, word in named}
    assert {each for each in named if each[1] not in there} == set()
