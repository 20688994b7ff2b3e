"""Map a report.json to the metrics.json of before 2026-12 and compare: every value must be equal.

    python tests/metrics_mapping.py OLD/metrics.json results/DATASET/report.json
    python tests/metrics_mapping.py OLD/ablations/metrics.json results/DATASET/ablations/report.json

The old file held what report.json holds now, but for times; the new metrics.json holds the headline. Needs nothing but Python.
"""

import json
import sys
from pathlib import Path

NEW_KEYS = {"joint_mean_recall", "mean_recall", "experiment", "files", "drop", "trivial", "over_trivial"}
"""Keys of a drop in report.json that the old file did not have, or not in this form."""
T_INTERVAL = {"t_low", "t_high"}
JUDGED = {"verdict", "held"}
"""Keys of a drop in the old file that are no measured values: the rules of verdicts are others since."""


def old_metrics(report):
    """The old content of results/DATASET/metrics.json."""
    models = {}
    for one in report["recalls"]:
        entry = old_entry(one)
        if one["protocol"] == "subset":
            models.setdefault(one["experiment"], {}).update(entry)
        else:
            models.setdefault(one["experiment"], {})[one["protocol"]] = entry
    drops = old_drops(report)
    main = {"baseline": report["baseline"], "model": report["main"], "protocol": "subset"}
    return {"dataset": report["dataset"], "models": models, "recall_drop": drops[report["main"]] | main, "recall_drops": drops}


def old_ablations(report):
    """The old content of results/DATASET/ablations/metrics.json."""
    ablations = {one["name"]: {row["experiment"]: old_choice(row) for row in one["choices"]} for one in report["ablations"]}
    return {"ablations": ablations, "dataset": report["dataset"], "main": report["main"], "recall_drops": old_drops(report)}


def old_entry(one):
    entry = {name: one[name] for name in ("protocol", "n_images", "n_captions", "rsum")}
    for way in ("i2t", "t2i"):
        values = {name: estimate["value"] for name, estimate in one[way].items()}
        entry[way] = values | {"intervals": {name: ends(estimate) for name, estimate in one[way].items()}}
    return entry | {"mean_recall": one["mean_recall"]["value"], "intervals": {"mean_recall": ends(one["mean_recall"])}}


def old_drops(report):
    drops = {}
    for one in report["drops"]:
        kept = {name: value for name, value in one.items() if name not in NEW_KEYS}
        drops[one["experiment"]] = kept | interval(one["drop"])
    return drops


def old_choice(row):
    gain = None if row["gain"] is None else interval(row["gain"]) | {"each_seed": row["gain_by_seed"]}
    old = {name: row[name] for name in ("seeds", "reference", "at", "line")} | {"gain": gain}
    old["mean_recall"] = interval(row["mean_recall"])
    for name in ("compositional", "compositional_gain"):
        if row[name] is not None:
            value = row[name]["value"]
            old[name] = interval(value) | {"seeds": row[name]["seeds"]} if isinstance(value, dict) else value
    return old


def interval(estimate):
    return {name: value for name, value in estimate.items() if name not in T_INTERVAL}


def ends(estimate):
    return [estimate["low"], estimate["high"]]


def differences(old, new, place=""):
    """Places at which two JSON values differ, in words."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            if key not in old or key not in new:
                yield f"{place}/{key}: only in the {'new' if key in new else 'old'}"
            else:
                yield from differences(old[key], new[key], f"{place}/{key}")
    elif old != new:
        yield f"{place}: {old!r} became {new!r}"


def compare(old_file, report_file):
    """Differences between an old metrics.json and a report.json, and the number of values in the old one."""
    old, report = (json.loads(Path(path).read_text(encoding="utf-8")) for path in (old_file, report_file))
    mapped = old_ablations(report) if "ablations" in old else old_metrics(report)
    for drop in [*old["recall_drops"].values(), old.get("recall_drop", {})]:
        for name in JUDGED:
            drop.pop(name, None)
    return list(differences(old, mapped)), count(old)


def count(value):
    return sum(map(count, value.values() if isinstance(value, dict) else value)) if isinstance(value, dict | list) else 1


if __name__ == "__main__":
    found, values = compare(*sys.argv[1:3])
    print("\n".join(found) or f"all {values} values are equal")
    sys.exit(bool(found))
