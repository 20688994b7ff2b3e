"""The version of a step in its settings file, and which steps have one."""

import importlib
import json
import re
from pathlib import Path

import pytest

from vldeformer.errors import InputError
from vldeformer.runtime import RuntimeSettings
from vldeformer.steps.settings_file import read_dataset, read_section

RULES = Path(__file__).parents[2] / "workflow" / "rules"


@pytest.fixture
def settings(write_settings, tmp_path):
    """Version → a settings file with it."""

    def write(**version):
        path = tmp_path / "settings.json"
        path.write_text(json.dumps(json.loads(write_settings().read_text()) | version))
        return path

    return write


@pytest.mark.parametrize("version", [{}, {"version": 3}])
def test_a_file_of_this_version_or_of_none_is_read(settings, version):
    path = settings(**version)
    assert read_section(path, "runtime", RuntimeSettings, 3).processes == 1
    assert read_dataset(path, 3).source == "scenes"


@pytest.mark.parametrize("version", [2, 4, "3", None, True, [3]])
def test_a_file_of_another_version_is_refused(settings, version):
    path = settings(version=version)
    message = re.escape(f"{path}: expected version 3 of the step, got {version!r}; run snakemake, which writes it again")
    with pytest.raises(InputError, match=message):
        read_section(path, "runtime", RuntimeSettings, 3)
    with pytest.raises(InputError, match=message):
        read_dataset(path, 3)


def test_every_step_that_a_rule_runs_has_a_version():
    rules = "".join(path.read_text() for path in RULES.glob("*.smk"))
    run = set(re.findall(r"(?:\"\(?vldeformer|\{params\.program:q\}) ([a-z-]+)", rules))
    assert {"fetch", "prepare", "train", "pretrain", "gather", "page"} <= run
    for name in run:
        assert importlib.import_module(f"vldeformer.steps.{name.replace('-', '_')}").VERSION >= 1, name
