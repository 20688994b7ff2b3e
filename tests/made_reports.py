"""Reports made by hand, for everything that shows one."""

from vldeformer.evaluation.measured_files import Speed
from vldeformer.evaluation.measures import Estimate
from vldeformer.evaluation.over_seeds import SeedEstimate
from vldeformer.evaluation.run_facts import AblationResult, Choice, Drop, Model, Number, Recall
from vldeformer.evaluation.run_report import RunReport

SPEED = {
    "pair_ms": 0.41, "image_ms": 0.35, "caption_ms": 0.121, "ranking_ms": 42.0, "n_images": 1000, "n_captions": 5000,
    "sampled_pairs": 2000,
    "sampled_images": 1000, "sampled_captions": 5000,
    "joint_seconds_extrapolated": 2050.0, "dual_seconds": 1.002, "speedup": 2045.9, "speedup_low": 1990.4, "speedup_high": 2100.6,
    "device": "cpu", "threads": 2, "hardware": "Some_CPU 100%", "precision": "float32", "repeats": 5, "warmup": 2,
    "batch": {"pairs": 128, "images": 128, "captions": 128},
    "gallery_curve": [
        {"n_images": n, "joint_seconds_per_query": 4.1e-4 * n, "dual_ms_per_query": 0.2 + 4e-5 * n}
        for n in (100, 1000, 10_000, 100_000, 1_000_000)
    ],
}  # fmt: skip


def around(value, half=0.5, kind=SeedEstimate):
    return kind(value, value - half, value + half)


def recall(experiment, protocol="subset", start=50.0, half=0.5):
    """Recalls at K of ``start`` + K, from captions 20 more; their mean is not computed."""

    def near(value, half=0.5):
        return around(value, half, Estimate)

    ways = [{f"R@{k}": near(start + more + k) for k in (1, 5, 10)} | {"median_rank": near(1.0)} for more in (0, 20)]
    sizes = {"n_images": 1000, "n_captions": 5000, "rsum": 1.0, "mean_recall": near(start, half)}
    curves = {"i2t_at": (1.0, 2.0), "t2i_at": (3.0, 4.0), "files": (f"results/mine/{experiment}/{protocol}.json",)}
    return Recall(experiment=experiment, protocol=protocol, i2t=ways[0], t2i=ways[1], **sizes, **curves)


def drop(experiment, value=0.2, low=0.0, high=0.5, seeds=5, claimed=True, **given):
    means = {"joint_mean_recall": 80.0, "mean_recall": 80.0 - value, "claim": 0.6, "files": ()}
    estimate = SeedEstimate(value, low, high)
    return Drop(experiment=experiment, drop=estimate, seeds=seeds, claimed=claimed, **means, **given)


def choice(experiment, gain=None, reference=None, at=None, each=None, composed=None):
    """``each``: seed → gain; ``composed``: gain in the compositional test."""
    number = None if composed is None else Number(value=composed, files=(), seeds=5)
    unknown = {"compositional": None, "seconds": None, "files": (), "line": None, "seeds": 1}
    seeds = {} if each is None else each
    values = {"gain": gain, "gain_by_seed": seeds, "compositional_gain": number, "mean_recall": around(50.0)}
    return Choice(experiment=experiment, title=experiment, at=at, reference=reference, **values, **unknown)


def ablation(name, *choices):
    return AblationResult(name=name, title=name, protocol="test", axis=None, logarithmic=False, choices=choices)


def report(dataset="mine", drops=(), recalls=(), timed=True, **given):
    """A report of the models joint and decomposed and of all others that are named."""
    names = dict.fromkeys(["joint", "decomposed", *(one.experiment for one in (*drops, *recalls))])
    models = [Model(experiment=name, title=name) for name in names]
    main = {"main": "decomposed", "baseline": "joint", "confidence": 0.95, "claimed_drop": 0.6, "claimed_speedup": 1000.0}
    speed = {"speed": Speed.model_validate(SPEED), "speed_file": f"results/{dataset}/speed.json"} if timed else {}
    return RunReport(dataset=dataset, models=models, drops=drops, recalls=recalls, **(main | speed | given))
