"""Where the record of an experiment is, and whether its settings are those of a plan. Planning imports this: no NumPy here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from vldeformer.section import Section

RECORDS = "records"
"""Folder of the records of a data set, in results/DATASET."""

PARTS = ("versions", "teacher", "control", "dual", "joint")
"""Keys of settings that hold settings by step or of another model."""


class RecordSettings(Section):
    """Section ``record`` of the step ``record``: whose record it writes."""

    dataset: str = Field(description="data set")
    experiment: str = Field(description="experiment")
    settings: dict[str, Any] = Field(description="sections and VERSIONs of the steps that made its results")


def record_file(dataset: str, experiment: str) -> Path:
    """The record of an experiment."""
    return Path("results", dataset, RECORDS, f"{experiment}.json")


def difference(wanted: Mapping[str, Any], found: Any, place: str = "") -> str | None:
    """The first setting in which a record differs from what a plan wants.

    Args:
        wanted: settings of the plan, as ``recorded_settings`` makes them.
        found: settings of the record. It may hold steps and sections that this plan does not need.
        place: keys above these settings, each with a dot.

    Returns:
        ``train.seed is 0, expected 1``; None: there is no difference.

    """
    if not isinstance(found, Mapping):
        return f"{place or 'settings.'}{next(iter(wanted))} is missing"
    for name, value in wanted.items():
        where, other = f"{place}{name}", found.get(name)
        unequal = difference(value, other, f"{where}.") if name in PARTS else _first_unequal(where, value, other)
        if unequal is not None:
            return unequal
    return None


def _first_unequal(place: str, wanted: Any, found: Any) -> str | None:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key in dict.fromkeys([*wanted, *found]):
            unequal = _first_unequal(f"{place}.{key}", wanted.get(key), found.get(key))
            if unequal is not None:
                return unequal
        return None
    return None if wanted == found and type(wanted) is type(found) else f"{place} is {found!r}, expected {wanted!r}"
