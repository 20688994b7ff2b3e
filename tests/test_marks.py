"""The marks that `make test-fast` leaves out reach the tests they are meant for."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def test_every_pattern_of_a_mark_has_files(pytestconfig):
    (conftest,) = [
        each for each in pytestconfig.pluginmanager.get_plugins() if getattr(each, "__file__", "") == str(TESTS / "conftest.py")
    ]
    for mark, patterns in conftest.MARKS.items():
        for pattern in patterns:
            assert list(TESTS.glob(pattern)), f"{mark}: {pattern}"


@pytest.mark.parametrize("mark", ["browser", "gather", "hub", "pipeline", "slow", "workflow"])
def test_fast_tests_are_those_without_a_mark(pytestconfig, mark):
    assert any(line.startswith(f"{mark}:") for line in pytestconfig.getini("markers"))
    (fast,) = re.findall(r'-m "not \((.*)\)"', (TESTS.parent / "Makefile").read_text(encoding="utf-8"))
    assert mark in fast.split(" or ")


def test_what_make_test_leaves_out_is_run_by_ci():
    makefile, ci = ((TESTS.parent / name).read_text(encoding="utf-8") for name in ("Makefile", ".ci/run"))
    assert re.findall(r'-m "not (\w+)"', makefile) == re.findall(r"-m (\w+) tests", makefile) == ["pipeline"]
    assert "\nmake test\nmake test-pipelines\n" in ci
