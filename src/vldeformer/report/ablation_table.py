"""The table of an ablation: recall, gain and whatever else was measured of each row, and where the rows were made."""

from vldeformer.evaluation.run_facts import AblationResult, Choice
from vldeformer.evaluation.run_report import RunReport
from vldeformer.report.sources import Source
from vldeformer.report.table import EXPERIMENT, MEAN_RECALL, MEAN_RECALL_KEYS, ONE, TWO, Column, Row, Said, Table, duration, plain

HOW = (
    "mean over seeds of the mean recall, a gain minus that of the reference with the same seed; intervals: seeds and images "
    "resampled; from the ranks of each query next to each file"
)


def ablation_table(report: RunReport, ablation: AblationResult) -> Table:
    """Recall, gain and whatever else was measured of each row. Where all rows were made in one place, the caption names it."""
    origins = [_origin(report, one) for one in ablation.choices]
    common = [name for name in ("commit", "processor") if len({one.get(name) for one in origins}) == 1]
    seeds = sorted({seed for one in ablation.choices for seed in one.gain_by_seed})
    columns = [
        Column("choice", "Choice"),
        EXPERIMENT,
        Column("at", ablation.axis or "", plain),
        Column("line"),
        Column("seeds", "Seeds"),
        MEAN_RECALL,
        Column("gain", "Gain (points)", TWO),
        Column("each", "Each seed", in_csv=False),
        Column("reference", "Against"),
        *(Column(f"gain_seed_{seed}") for seed in seeds),
        Column("compositional", "Compositional (%)", ONE),
        Column("compositional_gain", "Compositional gain (points)", TWO),
        Column("seconds", "Whole test set", duration),
        Column("record"),
        *(Column(name, "" if name in common else name.capitalize()) for name in ("commit", "processor")),
    ]
    where = "the whole test set" if ablation.protocol == "test" else "the pairs that the joint model scores too"
    made = f" Made on {', '.join(f'{name} {origins[0][name]}' for name in common)}." if origins[0] and common else ""
    caption = (
        f"{ablation.title}: mean of the six recalls in percent on {where}, gain in points with a paired interval; "
        f"means are over seeds, a gain's over those that both were run with. Data set {report.dataset}.{made}"
    )
    rows = [_row(report, one, origin) for one, origin in zip(ablation.choices, origins, strict=True)]
    return Table(ablation.name, caption, columns, rows)


def _origin(report: RunReport, choice: Choice) -> dict[str, str]:
    """Column → text: the row's first record, and commits and processors of all records that it was computed from."""
    made = [report.records[file] for file in choice.files if file in report.records]
    if not made:
        return {}
    commits, processors = (one.code for one in made), (one.processor or "not recorded" for one in made)
    return {
        "record": choice.files[0],
        "commit": "; ".join(dict.fromkeys(commits)),
        "processor": "; ".join(dict.fromkeys(processors)),
    }


def _row(report: RunReport, one: Choice, origin: dict[str, str]) -> Row:
    each = dict(sorted(one.gain_by_seed.items()))
    runs, paired = one.seeds, len(each)
    others = {name: found for name in ("compositional", "compositional_gain", "seconds") if (found := getattr(one, name))}
    values = {**dict(one), **origin, "choice": one.title}
    values |= {f"gain_seed_{seed}": value for seed, value in each.items()} | {name: found.value for name, found in others.items()}
    values["seeds"] = Said(runs, f"{runs}; gain of {paired}") if one.gain is not None and paired != runs else runs
    values["each"] = ", ".join(f"{value:+.2f}" for value in each.values()) if paired > 1 else None
    values["reference"] = None if one.reference is None else Said(one.reference, report.titles[one.reference])
    keys = {name: one.place + key for name, key in MEAN_RECALL_KEYS.items()} if runs == 1 else {}
    beside = {name: (found.files, found.key) for name, found in others.items()}
    return Row(values, Source(one.files, keys, HOW, beside), one.experiment)
