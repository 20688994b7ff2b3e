"""requirements.lock, environment.yml and pyproject.toml must not drift apart."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
LOCKED = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if line and not line.startswith("#")]


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_conda_environment_has_the_pins_of_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert conda == ["python=3.11", "pip"]
    assert pip == {"pip": LOCKED}, "run `make lock`"


def test_every_pin_is_exact():
    assert [pin for pin in LOCKED if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []


def test_the_lock_has_every_package_that_is_asked_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + [name for extra in project["optional-dependencies"].values() for name in extra]
    names = {canonical(re.match(r"[\w.-]+", requirement)[0]) for requirement in asked} - {canonical(project["name"])}
    assert names <= {canonical(pin.split("==")[0]) for pin in LOCKED}, "run `make lock`"
