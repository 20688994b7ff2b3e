"""All tables of a run, each a view of its ``RunReport``."""

from collections.abc import Iterable, Iterator

from vldeformer.evaluation.measures import RECALLS, Estimate
from vldeformer.evaluation.result import DIRECTIONS
from vldeformer.evaluation.run_report import COMPARED, AblationResult, Choice, Recall, RunReport
from vldeformer.report.compositional import compositional_table
from vldeformer.report.origin import origin_columns, origin_in_words, origin_of
from vldeformer.report.peers import peers_table
from vldeformer.report.sources import Source
from vldeformer.report.table import ARROWS, Column, Row, Said, Table, decimals, duration, plain, times, whole

ENDS = (("", None), ("_low", 0), ("_high", 1))
RESULT_KEYS = {
    f"{direction}_{name}{end}": f"{direction}/{name}" if place is None else f"{direction}/intervals/{name}/{place}"
    for direction in DIRECTIONS
    for name in (*RECALLS, "median_rank")
    for end, place in ENDS
} | {name: name for name in ("experiment", "protocol", "n_images", "n_captions", "mean_recall", "rsum")}
RESULT_KEYS |= {"mean_recall_low": "intervals/mean_recall/0", "mean_recall_high": "intervals/mean_recall/1"}
"""Column of the table of recalls → key in RESULT.json."""
ONE, TWO = decimals(1), decimals(2)
MODEL, EXPERIMENT, MEAN_RECALL = Column("model", "Model"), Column("experiment"), Column("mean_recall", "Mean recall", ONE)


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
    joint = {"model": report.titles[report.baseline], "mean_recall": found.joint_mean_recall, "speedup": 1.0 if speed else None}
    main = {"model": report.titles[report.main], "mean_recall": found.mean_recall, "drop": found.drop, "verdict": found.verdict}
    main |= {"speedup": speed.speedup if speed else None}
    columns = (
        MODEL,
        MEAN_RECALL,
        Column("drop", "Drop (points)", TWO),
        Column("verdict", f"Drop below {found.claim:g}"),
        Column("speedup", "Speed-up", lambda value: "1" if value == 1 else times(value)),
    )
    caption = f"Data set {report.dataset}: mean of the six recalls in percent on the same pairs, {_seeds(found.seeds)}."
    return Table("headline", caption, columns, [Row(joint, source, report.baseline), Row(main, source, report.main)])


def recall_table(report: RunReport) -> Table:
    """Recalls on the pairs that all models share, then on the whole test set."""
    rows = []
    for one in (*report.under(COMPARED), *report.under("test")):
        estimates = {f"{way}_{name}": found[name] for way, found in _ways(one) for name in (*RECALLS, "median_rank")}
        named = {"model": report.titles[one.experiment], "experiment": one.experiment, "protocol": one.protocol}
        counts = {"n_images": one.n_images, "n_captions": one.n_captions, "size": _size(one)}
        values = named | counts | estimates | {"mean_recall": one.mean_recall, "rsum": one.rsum}
        keys = {name: one.place + key for name, key in RESULT_KEYS.items()}
        rows.append(Row(values, Source(one.files, keys, "a title of the settings report.titles"), one.experiment))
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


def drop_table(report: RunReport) -> Table:
    """Recall drop of every decomposed model against the joint one on the same pairs, and the paper's claim."""
    how = "mean over seeds of the joint model's mean recall minus this one's; interval: images resampled"
    rows = []
    for one in report.drops:
        named = {"model": report.titles[one.experiment], "experiment": one.experiment, "seeds": one.seeds}
        means = {"baseline_mean_recall": one.joint_mean_recall, "mean_recall": one.mean_recall, "drop": one.drop}
        judged = {"claim": one.claim, "verdict": one.verdict}
        rows.append(Row(named | means | judged, Source(one.files, {}, how), one.experiment))
    columns = (
        MODEL,
        EXPERIMENT,
        Column("seeds", "Seeds"),
        Column("baseline_mean_recall", "Joint mean recall", ONE),
        MEAN_RECALL,
        Column("drop", "Drop (points)", TWO),
        Column("claim", "Paper", lambda value: f"below {value:g}"),
        Column("verdict", "Claim here"),
    )
    compared = report.recall(report.baseline, COMPARED)
    pairs = f"{compared.n_images:,} images and {compared.n_captions:,} captions" if compared else "images and captions"
    caption = (
        f"Recall drop: joint minus decomposed mean recall on the same {pairs}, with paired intervals. "
        "Held: the interval is below the paper's bound; unknown: the bound is inside it, or the joint model is worse by more "
        f"than the bound, so that there is no accuracy to keep. Data set {report.dataset}."
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

    def row(
        quantity: str, unit: str, joint: Said | None, main: Said | None, keys: dict[str, str], paper: Said | None = None
    ) -> Row:
        source = Source((report.speed_file,), keys, "sizes: n_images and n_captions; paper: a setting of the report")
        return Row({"quantity": quantity, "unit": unit, "joint": joint, "decomposed": main, "paper": paper}, source)

    def one(ms: float) -> Said:
        return Said(ms, duration(ms / 1e3))

    joint = Said(speed.joint_seconds_extrapolated, f"{duration(speed.joint_seconds_extrapolated)} extrapolated")
    dual = Said(speed.dual_seconds, f"{duration(speed.dual_seconds)} {'measured' if of_all else scaled}")
    paper = Said(report.claimed_speedup, f"{report.claimed_speedup:g}+ times")
    passes = Said(n_pairs, f"{n_pairs:,} pairs"), Said(n_items, f"{n_items:,} images and captions")
    whole_set = {"joint": "joint_seconds_extrapolated", "decomposed": "dual_seconds"}
    rows = [
        row("Items through the transformer", "items", *passes, {}),
        row("Time of an image", "ms", None, one(speed.image_ms), {"decomposed": "image_ms"}),
        row("Time of a caption", "ms", None, one(speed.caption_ms), {"decomposed": "caption_ms"}),
        row("Time of a pair", "ms", one(speed.pair_ms), None, {"joint": "pair_ms"}),
        row("Ranking", "ms", None, one(speed.ranking_ms), {"decomposed": "ranking_ms"}),
        row("Whole test set", "s", joint, dual, whole_set),
        row("Speed-up", "times", Said(1, "1"), Said(speed.speedup, times(speed.speedup)), {"decomposed": "speedup"}, paper),
    ]
    caption = (
        f"Time for {speed.n_images:,} images and {speed.n_captions:,} captions: reading of stored inputs, forward passes and "
        f"ranking, models loaded; the joint time is extrapolated from {speed.sampled_pairs:,} pairs. "
        f"{speed.hardware}, {speed.device}, {speed.threads} threads, {speed.precision}; "
        f"median of {speed.repeats} runs after {speed.warmup} to warm up; "
        f"batches of {speed.batch.pairs} pairs, {speed.batch.images} images, {speed.batch.captions} captions."
    )
    columns = [Column("quantity", "Quantity"), Column("unit"), Column("joint", report.titles[report.baseline])]
    columns += [Column("decomposed", report.titles[report.main]), Column("paper", "Paper")]
    return Table("speed", caption, columns, rows)


def rerank_table(report: RunReport) -> Table:
    """Recall and time for every number of candidates; the last row is the joint model on all pairs."""
    found, joint = report.reranking, report.recall(report.baseline, COMPARED)
    if found is None or joint is None:
        raise ValueError("nothing was re-ranked, or the joint model has no result")
    points = report.speed.gallery_curve if report.speed else ()
    largest = max(points, key=lambda point: point.n_images) if points else None
    gallery = largest.n_images if largest else None
    all_seconds, how = found.joint_seconds(), "times: rerank.json with the encoding times of speed.json; drop: paired ranks"
    rows = []
    for one in found.depths:
        values = {"candidates": one.k, "k": one.k, "pairs": one.pairs, "seconds": one.seconds, "mean_recall": one.mean_recall}
        values |= {"speedup": all_seconds / one.seconds, "drop": one.drop, "gallery_images": gallery}
        if largest:
            ratio = found.joint_query_seconds(largest.n_images) / found.query_seconds(one, largest)
            values["query_speedup_extrapolated"] = ratio
        rows.append(Row(values, Source(one.files, {"mean_recall": "mean_recall"}, how)))
    last = {"candidates": f"all ({report.titles[report.baseline]})", "pairs": found.n_images * found.n_captions}
    last |= {"seconds": all_seconds, "speedup": Said(1.0, "1"), "mean_recall": joint.mean_recall, "gallery_images": gallery}
    last |= {"query_speedup_extrapolated": Said(1.0, "1")} if largest else {}
    rows.append(Row(last, Source(joint.files, {"mean_recall": "mean_recall"}, "time: pair_ms of rerank.json times all pairs")))
    columns = [Column("candidates", "Candidates", in_csv=False), Column("k"), Column("pairs", "Pairs scored", whole)]
    columns += [Column("seconds", "Time", duration), Column("speedup", "Speed-up", times), Column("gallery_images")]
    columns.append(Column("query_speedup_extrapolated", f"One query, {gallery or 0:,} images", times))
    columns += [MEAN_RECALL, Column("drop", "Drop (points)", TWO)]
    order = "joint log-odds" + (f" + {found.dual_weight:g} × cosine" if found.dual_weight else "")
    caption = (
        f"Re-ranking: {report.titles[report.main]} proposes the k best of each query in both directions, the joint model "
        f"orders them by {order}; {found.n_images:,} images, {found.n_captions:,} captions. Time: encoding, "
        "search and scoring of pairs for all queries; the joint model's is extrapolated from its time a pair. "
    )
    if largest:
        caption += (
            f"One query: a text query alone against embedded images, extrapolated to {largest.n_images:,} images with the same "
            "k; recall was not measured there. "
        )
    caption += f"Drop: joint minus re-ranked, paired intervals. Data set {report.dataset}."
    return Table("rerank", caption, columns, rows)


def ablation_table(report: RunReport, ablation: AblationResult) -> Table:
    """Recall, gain and whatever else was measured of each row."""
    seeds = sorted({seed for one in ablation.choices for seed in one.gain_by_seed})
    columns = [Column("choice", "Choice"), EXPERIMENT, Column("at", ablation.axis or "", plain), Column("line")]
    columns += [Column("seeds", "Seeds"), MEAN_RECALL, Column("gain", "Gain (points)", TWO)]
    columns += [Column("each", "Each seed", in_csv=False), Column("reference", "Against")]
    columns += [Column(f"gain_seed_{seed}") for seed in seeds]
    columns += [
        Column("compositional", "Compositional (%)", ONE),
        Column("compositional_gain", "Compositional gain (points)", TWO),
    ]
    columns.append(Column("seconds", "Whole test set", duration))
    columns += origin_columns(report, ablation)
    where = "the whole test set" if ablation.protocol == "test" else "the pairs that the joint model scores too"
    caption = (
        f"{ablation.title}: mean of the six recalls in percent on {where}, gain in points with a paired interval over images; "
        f"means are over seeds, a gain's over those that both were run with. Data set {report.dataset}."
        f"{origin_in_words(report, ablation)}"
    )
    return Table(ablation.name, caption, columns, [_choice_row(report, one) for one in ablation.choices])


def _choice_row(report: RunReport, one: Choice) -> Row:
    each = dict(sorted(one.gain_by_seed.items()))
    runs, paired = one.seeds, len(each)
    values: dict[str, object] = {
        "choice": one.title,
        "experiment": one.experiment,
        "at": one.at,
        "line": one.line,
        "gain": one.gain,
    }
    values["seeds"] = Said(runs, f"{runs}; gain of {paired}") if one.gain is not None and paired != runs else runs
    values |= {"mean_recall": one.mean_recall} | {f"gain_seed_{seed}": value for seed, value in each.items()}
    values["each"] = ", ".join(f"{value:+.2f}" for value in each.values()) if paired > 1 else None
    values["reference"] = None if one.reference is None else Said(one.reference, report.titles[one.reference])
    others = {name: found for name in ("compositional", "compositional_gain", "seconds") if (found := getattr(one, name))}
    values |= {name: found.value for name, found in others.items()} | origin_of(report, one)
    keys = {name: one.place + key for name, key in RESULT_KEYS.items() if name.startswith("mean_recall")} if runs == 1 else {}
    how = (
        "mean over seeds of the mean recall, a gain minus that of the reference with the same seed; intervals: images resampled; "
        "from the ranks of each query next to each file"
    )
    return Row(
        values, Source(one.files, keys, how, {name: (found.files, found.key) for name, found in others.items()}), one.experiment
    )


def _ways(one: Recall) -> Iterable[tuple[str, dict[str, Estimate]]]:
    return zip(DIRECTIONS, (one.i2t, one.t2i), strict=True)


def _size(one: Recall) -> str:
    return f"{one.n_images:,} / {one.n_captions:,}"


def _seeds(count: int) -> str:
    return f"{count} seeds" if count > 1 else "1 seed"
