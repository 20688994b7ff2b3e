"""All tables of a run, each a view of its ``RunReport``."""

from collections.abc import Iterator

from vldeformer.evaluation.measures import RECALLS
from vldeformer.evaluation.result import DIRECTIONS
from vldeformer.evaluation.run_facts import COMPARED, Recall
from vldeformer.evaluation.run_report import RunReport
from vldeformer.report.ablation_table import ablation_table
from vldeformer.report.compositional import compositional_table
from vldeformer.report.peers import peers_table
from vldeformer.report.reranking import rerank_table
from vldeformer.report.sources import Source
from vldeformer.report.table import (
    ARROWS,
    DROP,
    EXPERIMENT,
    MEAN_RECALL,
    MEAN_RECALL_KEYS,
    MODEL,
    ONE,
    TITLE_HOW,
    TWO,
    Column,
    Row,
    Said,
    Table,
    duration,
    seeds_in_words,
    speedup,
    times,
)

OF_A_WAY = (*RECALLS, "median_rank")


def tables_of(report: RunReport) -> Iterator[Table]:
    """Every table that the run has."""
    yield headline_table(report)
    yield recall_table(report)
    yield drop_table(report)
    if report.speed is not None:
        yield speed_table(report)
    if report.published_protocols:
        yield peers_table(report)
    if report.compositional:
        yield compositional_table(report)
    if report.reranking is not None:
        yield rerank_table(report)
    for ablation in report.ablations:
        yield ablation_table(report, ablation)


def headline_table(report: RunReport) -> Table:
    """The answer: recall of the joint and of the main model, the drop between them, its verdict and the speed-up."""
    found, speed = report.main_drop(), report.speed
    files = found.files + ((report.speed_file,) if speed else ())
    source = Source(files, {}, "as in the tables recall_drop and speed")
    joint = {"model": report.titles[report.baseline], "mean_recall": found.joint_mean_recall}
    joint["speedup"] = Said(1.0, "1") if speed else None
    main = {
        **dict(found),
        "verdict": found.verdict.word,
        "model": report.titles[report.main],
        "speedup": Said(speed.speedup, speedup(speed)) if speed else None,
    }
    columns = (
        MODEL,
        MEAN_RECALL,
        DROP,
        Column("verdict", f"Drop below {found.claim:g}"),
        Column("speedup", "Speed-up"),
    )
    caption = f"Data set {report.dataset}: mean of the six recalls in percent on the same pairs, {seeds_in_words(found.seeds)}."
    return Table("headline", caption, columns, [Row(joint, source, report.baseline), Row(main, source, report.main)])


def recall_table(report: RunReport) -> Table:
    """Recalls on the pairs that all models share, then on the whole test set."""
    rows = []
    for one in (*report.under(COMPARED), *report.under("test")):
        estimates = {f"{way}_{name}": one.of(way)[name] for way in DIRECTIONS for name in OF_A_WAY}
        size = f"{one.n_images:,} / {one.n_captions:,}"
        values = {**dict(one), **estimates, "model": report.titles[one.experiment], "size": size}
        rows.append(Row(values, Source(one.files, _keys(one), TITLE_HOW), one.experiment))
    columns = [MODEL, EXPERIMENT, Column("protocol"), Column("n_images"), Column("n_captions")]
    columns.append(Column("size", "Images / captions", in_csv=False))
    for way in DIRECTIONS:
        columns += [Column(f"{way}_{name}", f"{ARROWS[way]} {name}", ONE) for name in RECALLS]
        columns.append(Column(f"{way}_median_rank"))
    caption = (
        f"Recall in percent with {report.confidence:.0%} bootstrap intervals over images, data set {report.dataset}. "
        "First the pairs that every model scored, the joint one included; then the whole test set."
    )
    return Table("recall", caption, [*columns, MEAN_RECALL, Column("rsum")], rows)


def _keys(one: Recall) -> dict[str, str]:
    """Column → key in the file of the result."""
    keys = {name: name for name in ("experiment", "protocol", "n_images", "n_captions", "rsum")} | MEAN_RECALL_KEYS
    for way in DIRECTIONS:
        for name in OF_A_WAY:
            column, ends = f"{way}_{name}", f"{way}/intervals/{name}"
            keys |= {column: f"{way}/{name}", f"{column}_low": f"{ends}/0", f"{column}_high": f"{ends}/1"}
    return {column: one.place + key for column, key in keys.items()}


def drop_table(report: RunReport) -> Table:
    """Recall drop of every decomposed model against the joint one on the same pairs, and the paper's claim."""
    how = "mean over seeds of the joint model's mean recall minus this one's; interval: seeds and images resampled"
    rows = []
    for one in report.drops:
        values = {**dict(one), "model": report.titles[one.experiment], "baseline_mean_recall": one.joint_mean_recall}
        values |= {"t": one.drop.over_seeds_alone, "verdict": one.verdict.word, "rule": one.verdict.rule}
        rows.append(Row(values, Source(one.files, {}, how), one.experiment))
    columns = (
        MODEL,
        EXPERIMENT,
        Column("seeds", "Seeds"),
        Column("baseline_mean_recall", "Joint mean recall", ONE),
        MEAN_RECALL,
        DROP,
        Column("t", "Over seeds alone", TWO),
        Column("claim", "Paper", lambda value: f"below {value:g}"),
        Column("verdict", "Claim here"),
        Column("rule", "Because"),
    )
    compared = report.recall(report.baseline, COMPARED)
    pairs = f"{compared.n_images:,} images and {compared.n_captions:,} captions" if compared else "images and captions"
    caption = (
        f"Recall drop: joint minus decomposed mean recall on the same {pairs}, with paired intervals; "
        f"over seeds alone: the t-interval of several seeds. Data set {report.dataset}."
    )
    return Table("recall_drop", caption, columns, rows)


def speed_table(report: RunReport) -> Table:
    """Time of both models for the whole test set and the speed-up, with the paper's."""
    speed = report.speed
    if speed is None:
        raise ValueError("the speed was not measured")
    n_pairs, n_items = speed.n_images * speed.n_captions, speed.n_images + speed.n_captions
    of_all = speed.sampled_images >= speed.n_images and speed.sampled_captions >= speed.n_captions
    scaled = f"scaled from {speed.sampled_images:,} images and {speed.sampled_captions:,} captions"
    whole_set = {
        "joint": Said(speed.joint_seconds_extrapolated, f"{duration(speed.joint_seconds_extrapolated)} extrapolated"),
        "decomposed": Said(speed.dual_seconds, f"{duration(speed.dual_seconds)} {'measured' if of_all else scaled}"),
    }
    factor = {"joint": Said(1, "1"), "decomposed": Said(speed.arithmetic_factor, times(speed.arithmetic_factor))}
    quicker = {
        "joint": Said(1, "1"),
        "decomposed": Said(speed.speedup, speedup(speed)),
        "paper": Said(report.claimed_speedup, f"{report.claimed_speedup:g}+ times"),
    }
    passes = {"joint": Said(n_pairs, f"{n_pairs:,} pairs"), "decomposed": Said(n_items, f"{n_items:,} images and captions")}

    def row(quantity: str, unit: str, cells: dict[str, Said], **keys: str) -> Row:
        source = Source((report.speed_file,), keys, "sizes: n_images and n_captions; paper: a setting of the report")
        return Row({"quantity": quantity, "unit": unit, **cells}, source)

    def ms(quantity: str, model: str, key: str) -> Row:
        value: float = getattr(speed, key)
        return row(quantity, "ms", {model: Said(value, duration(value / 1e3))}, **{model: key})

    rows = [
        row("Items through the transformer", "items", passes),
        ms("Time of an image", "decomposed", "image_ms"),
        ms("Time of a caption", "decomposed", "caption_ms"),
        ms("Time of a pair", "joint", "pair_ms"),
        ms("Ranking", "decomposed", "ranking_ms"),
        row("Whole test set", "s", whole_set, joint="joint_seconds_extrapolated", decomposed="dual_seconds"),
        row("Fewer items: N × M / (N + M)", "times", factor),
        row("Speed-up", "times", quicker, decomposed="speedup"),
    ]
    caption = (
        f"Time for {speed.n_images:,} images and {speed.n_captions:,} captions: reading of stored inputs, forward passes and "
        f"ranking, models loaded; the joint time is extrapolated from {speed.sampled_pairs:,} pairs. "
        f"{speed.hardware}, {speed.device}, {speed.threads} threads, {speed.precision}; "
        f"median of {speed.repeats} runs after {speed.warmup} to warm up"
        f"{'' if speed.estimate is None else ', [lowest, highest] that they allow'}; "
        f"batches of {speed.batch.pairs} pairs, {speed.batch.images} images, {speed.batch.captions} captions."
    )
    columns = [Column("quantity", "Quantity"), Column("unit"), Column("joint", report.titles[report.baseline])]
    columns += [Column("decomposed", report.titles[report.main]), Column("paper", "Paper")]
    return Table("speed", caption, columns, rows)
