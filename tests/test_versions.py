"""What a step computes belongs to its VERSION: a change of it without a new VERSION fails here.

The settings files hold VERSION, and both engines go by settings files. So this is what keeps results from going stale.
"""

import importlib
import pkgutil
from typing import get_args

import pytest
from fingerprints.cases import CASES, MEMBERS, NOT_RUN, version_of
from fingerprints.record import merged, read
from fingerprints.values import differences

from vldeformer import steps
from vldeformer.inputs.settings import NegativeSettings
from vldeformer.planning.config import Settings
from vldeformer.runtime import RuntimeSettings
from vldeformer.section import union_members
from vldeformer.training.settings import DualTraining

ALL = [(step, case) for step, cases in CASES.items() for case in cases]
WORDS = {"pooling": DualTraining, "kernels": RuntimeSettings, "image_partner": NegativeSettings}
"""Settings that are one of several words without being a union of classes → their class."""


@pytest.mark.slow
@pytest.mark.parametrize(("step", "case"), ALL, ids=[f"{step}-{case.replace(' ', '-')}" for step, case in ALL])
def test_a_step_computes_what_is_recorded_for_its_version(fingerprint_world, step, case):
    recorded = read(step).get(str(version_of(step)), {})
    assert case in recorded, f"nothing is recorded for VERSION {version_of(step)} of {step}: make record-versions"
    changed = list(differences(recorded[case], CASES[step][case](fingerprint_world)))
    assert not changed, (
        f"{step} computes something else: raise VERSION in steps/{step}.py, then make record-versions\n" + "\n".join(changed[:5])
    )


def test_every_step_with_a_version_has_cases():
    modules = [importlib.import_module(f"vldeformer.steps.{module.name}") for module in pkgutil.iter_modules(steps.__path__)]
    versioned = {module.__name__.rpartition(".")[2] for module in modules if hasattr(module, "VERSION")}
    assert versioned - set(CASES) == set()


def test_every_member_of_the_settings_unions_has_a_case():
    members = [*union_members(Settings)]
    members += [(key, word) for key, section in WORDS.items() for word in get_args(section.model_fields[key].annotation)]
    assert len(members) > 25
    without = []
    for key, tag in members:
        step, name = MEMBERS[key]
        if name.format(tag) not in CASES[step] and (key, tag) not in NOT_RUN:
            without.append(f"{key} {tag}")
    assert not without


def test_what_is_recorded_for_a_version_is_never_overwritten():
    recorded = {"1": {"a": {"loss": [1.0]}}}
    assert merged("train", 1, recorded, {"a": {"loss": [1.00001]}, "b": 2}) == {"1": {"a": {"loss": [1.0]}, "b": 2}}
    with pytest.raises(SystemExit, match=r"raise VERSION in steps/train\.py"):
        merged("train", 1, recorded, {"a": {"loss": [1.1]}})
    assert merged("train", 2, recorded, {"a": {"loss": [1.1]}}) == {"2": {"a": {"loss": [1.1]}}}
    with pytest.raises(SystemExit, match="VERSION only rises"):
        merged("train", 1, {"2": {}}, {"a": 1})


def test_a_difference_beyond_the_tolerance_is_seen_wherever_it_is():
    recorded = {"loss": [1.0, 2.0], "ids": "abc", "sums": {"first": [100.0]}}
    assert list(differences(recorded, {"loss": [1.00005, 2.0], "ids": "abc", "sums": {"first": [100.005]}})) == []
    for changed in ({"loss": [1.0002, 2.0]}, {"loss": [1.0]}, {"ids": "abd"}, {"sums": {"first": [100.02]}}, {"sums": {}}):
        assert len(list(differences(recorded, recorded | changed))) == 1
    assert list(differences({"loss": [1.0]}, {"loss": [float("nan")]}))
