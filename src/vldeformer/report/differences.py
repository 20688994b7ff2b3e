"""The first thing in which two chains differ, from upstream down: data, then code, settings, versions, machine.

What has the same digest is the same, whatever made it; only where digests differ the two records are compared.
"""

from collections.abc import Iterator
from typing import Any

from vldeformer.content_digest import digest
from vldeformer.report.lineage import Link
from vldeformer.report.step_record import StepRecord

COMPARED = ("settings", "packages", "python", "machine")
"""Keys of a record, in the order in which they are compared after data and code."""


def first_difference(one: Link, other: Link) -> str:
    """A line that names it, or says that there is none or that the records do not tell."""
    shas = [link.recorded or (digest(link.path) if link.path.exists() else None) for link in (one, other)]
    if shas[0] is not None and shas[0] == shas[1]:
        return f"no difference: the content is the same, sha256 {shas[0][:12]}"
    found = next(_differences(one, other), None)
    return found or "the content differs, but all that is recorded of both is the same"


def _differences(one: Link, other: Link) -> Iterator[str]:
    if one.recorded is not None and one.recorded == other.recorded:
        return
    inputs = [_by_role(link) for link in (one, other)]
    where = f"{one.path} and {other.path}" if one.path != other.path else str(one.path)
    for key in sorted({*inputs[0], *inputs[1]}):
        pair = [side.get(key) for side in inputs]
        if pair[0] is None or pair[1] is None:
            there = pair[0] or pair[1]
            assert there is not None
            yield f"data: only {(one if pair[0] else other).path} has read {there.role} {there.path}"
        else:
            yield from _differences(pair[0], pair[1])
    if one.record is None or other.record is None:
        if one.recorded != other.recorded:
            digests = " and ".join(_short(link.recorded) for link in (one, other))
            yield f"data: {where}: sha256 {digests}; of what made them there is no record"
        return
    yield from _code(one.record, other.record, where)
    for name in COMPARED:
        for place, first, second in _unequal(getattr(one.record, name), getattr(other.record, name)):
            yield f"{name}: {where}: {'.'.join(place) or name} is {first!r} and {second!r}"


def _by_role(link: Link) -> dict[tuple[str, int], Link]:
    """Inputs by role; several of one role are told apart by their order."""
    found: dict[tuple[str, int], Link] = {}
    for below in link.inputs:
        found[below.role, sum(role == below.role for role, _ in found)] = below
    return found


def _code(one: StepRecord, other: StepRecord, where: str) -> Iterator[str]:
    first, second = one.code or {}, other.code or {}
    if first.get("sha256") and second.get("sha256"):
        same = first["sha256"] == second["sha256"]
    else:
        same = first.get("commit") == second.get("commit") and not first.get("dirty") and not second.get("dirty")
    if not same:
        yield f"code: {where}: {one.code_in_words()} and {other.code_in_words()}"


def _unequal(first: Any, second: Any, key: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if isinstance(first, dict) and isinstance(second, dict):
        for name in dict.fromkeys([*first, *second]):
            yield from _unequal(first.get(name), second.get(name), (*key, str(name)))
    elif first != second:
        yield key, first, second


def _short(sha256: str | None) -> str:
    return sha256[:12] if sha256 else "not recorded"
