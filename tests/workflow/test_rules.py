"""Every rule's command: what settings and paths bring in is one word of the shell, and nothing is piped."""

import ast
import re
import string

import pytest
import yaml
from workflow_projects import ROOT

RULES = sorted((ROOT / "workflow" / "rules").glob("*.smk"))
SHELL = re.compile(r"^ +shell:\n((?: +\".*\"\n)+)", re.M)


def commands(path):
    """The commands of a file of rules, as Snakemake gets them."""
    text = path.read_text(encoding="utf-8")
    found = [ast.literal_eval(f"({written})") for written in SHELL.findall(text)]
    assert len(found) == len(re.findall(r"\bshell:", text)), "a command that this test does not find"
    assert not re.search(r"^ +(script|run|notebook|wrapper):", text, re.M), "rules call the command line"
    return found


def test_every_placeholder_of_every_rule_is_quoted():
    told = {path.name: commands(path) for path in RULES}
    assert sum(map(len, told.values())) > 20
    for name, texts in told.items():
        for text in texts:
            for _, placeholder, form, _ in string.Formatter().parse(text):
                assert placeholder is None or form == "q", f"{name}: {{{placeholder}}} of a command is not quoted: {text}"


def test_no_rule_pipes_and_every_log_gets_both_streams():
    for path in RULES:
        for text in commands(path):
            assert not re.search(r"\btee\b|\|", text), f"{path.name}: a pipe is held open by workers of a killed step: {text}"
            assert text.endswith(" > {log:q} 2>&1"), f"{path.name}: {text}"


def test_stages_of_dvc_have_no_variables_but_those_that_the_script_has_quoted():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    commands = [stage.get("do", stage)["cmd"] for stage in stages.values()]
    assert all("${" not in command or command == "${item.cmd}" for command in commands)
    items = [item["cmd"] for stage in stages.values() for item in stage.get("foreach", {}).values()]
    assert len(items) > 10 and not any("${" in command for command in items)


@pytest.mark.parametrize("setting", ["raw_dir", "checkpoint"])
def test_a_setting_that_holds_a_command_is_a_path_and_is_never_run(project, setting):
    if setting == "raw_dir":
        project.edit("config/datasets/tiny.yaml", "raw_dir: raw/tiny", 'raw_dir: "raw/x$(touch MARK) y"')
    else:
        path = project.folder / "config" / "datasets" / "tiny.yaml"
        values = yaml.safe_load(path.read_text())
        values["pretrain"] = values.get("pretrain", {}) | {"checkpoint": "some/model$(touch MARK) y"}
        path.write_text(yaml.safe_dump(values))
    target = "artifacts/tiny/base/vocabulary/tokenizer.json"
    printed = project.snakemake("--cores", "2", target, fails=setting == "checkpoint")
    assert not (project.folder / "MARK").exists()
    if setting == "raw_dir":
        assert (project.folder / "raw" / "x$(touch MARK) y" / "scenes.jsonl").is_file()
    else:
        assert "stand-in for import-weights fails, missing: ['some/model$(touch MARK) y']" in printed, "the log of what failed"
