"""What is run of each step: step → case → function of the world that returns a fingerprint.

A case is named after the member of a settings union that it runs (``MEMBERS``), so that a new member needs a new case.
"""

import functools
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fingerprints.values import array, exact, floats

TESTS = Path(__file__).parents[1]
BOTH = {"hard_negatives": {"kind": "both", "scope": "batch"}}
ANCHOR = {"kind": "mined", "epochs": 2, "depth": 3, "limit": None}
TEMPERED = {"temperature": 0.1, "learn_temperature": False}
SOFT_TARGETS = {"weight": 0.5, "temperature": 1.0, "candidates": 2}
LOSSES = {
    "infonce": TEMPERED, "sigmoid": TEMPERED, "triplet": {"margin": 1.0}, "triplet_hard": {"margin": 1.0}, "multi_similarity": {},
}  # fmt: skip


def version_of(step):
    """VERSION of a step, e.g. ``pair_time``."""
    return importlib.import_module(f"vldeformer.steps.{step}").VERSION


# Fingerprints of what steps write.


def model(folder):
    """Losses and measurements of a training, and some of the matrices of both models that it keeps."""
    from safetensors.torch import load_file

    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    names = ("loss", "lr", "grad_norm", "val_mean_recall", "temperature", "distillation_loss", "mined_dropped")
    figures = {name: floats([line[name] for line in lines if name in line]) for name in names}
    tensors = load_file(folder / "model" / "model.safetensors")
    chosen = [name for name, tensor in sorted(tensors.items()) if tensor.ndim > 1]
    kept = {name: array(tensors[name].numpy()) for name in chosen[:: max(1, len(chosen) // 5)]}
    return {name: values for name, values in figures.items() if values} | {"weights": kept}


def table(path):
    """Columns of a Parquet file: floats within the tolerance, all else exactly."""
    columns = pd.read_parquet(path)
    found = {}
    for name in columns:
        values = [value.tolist() if isinstance(value, np.ndarray) else value for value in columns[name].tolist()]
        found[name] = array(values) if columns[name].dtype.kind == "f" else exact(values)
    return found


def result(path):
    """A RESULT.json: its numbers within the tolerance and the table of queries that goes with it."""
    values = json.loads(path.read_text())
    tables = {file.name: table(file) for file in path.parent.glob(f"{path.stem}.*.parquet")}
    return {"values": values} | tables


def store(folder, deviation=1.0):
    """A region store as its reader returns it, features times ``deviation``."""
    from vldeformer.data.parts import open_region_store

    regions = open_region_store(folder)
    images = [regions[image_id] for image_id in regions.ids]
    return {
        "ids": exact(list(regions.ids)),
        "tags": exact([list(image.tags) for image in images]),
        "features": array(np.concatenate([image.features for image in images]) * deviation),
        "boxes": array(np.concatenate([image.boxes for image in images])),
    }


def vectors(folder):
    """A folder of `embed`."""
    read = {name: np.load(folder / f"{name}.npy") for name in ("images", "captions", "caption_image_index")}
    ids = [json.loads((folder / f"{name}.json").read_text()) for name in ("image_ids", "caption_ids")]
    index = exact(read.pop("caption_image_index").tolist())
    return {name: array(value) for name, value in read.items()} | {"index": index, "ids": exact(ids)}


def scores(folder):
    """A folder of `score`."""
    from vldeformer.retrieval.embeddings import Scores

    read = Scores.load(folder)
    return {"scores": array(read.scores), "ids": exact([read.image_ids, read.caption_ids])}


def keys(path):
    """Names in a file of measured times, which differ from run to run."""
    return exact(sorted(json.loads(path.read_text())))


# Steps.


def fetched(world):
    return exact((world.raw / "scenes.jsonl").read_bytes())


def prepared(world):
    return {"manifest": exact(world.manifest.read_bytes()), "pixels": exact(np.load(world.pixels / "pixels.npy").tobytes())}


def prepared_source(world, source):
    """Manifest and pixels of a data set of another source; its files are made by ``fingerprints.sources``."""
    from fingerprints import sources
    from vldeformer.steps.prepare import prepare

    raw, out = world.new("raw"), world.new("prepared")
    dataset = getattr(sources, source)(raw)
    settings = world.new("settings").with_suffix(".json")
    settings.write_text(json.dumps({"dataset": {"source": source, "name": "tiny", "raw_dir": "raw"} | dataset}))
    prepare(settings=settings, raw_dir=raw, out=out)
    pixels = out / "pixels" / "pixels.npy"
    return {
        "manifest": exact((out / "manifest.json").read_bytes()),
        "pixels": array(np.load(pixels)) if pixels.is_file() else None,
    }


def photograph_regions(world, write, **regions):
    """Regions of the photographs of a Karpathy file by a network of random weights in its published layout.

    Some features of such a network hardly vary: divided by their deviation they would show the rounding of the processor.
    """
    from fingerprints import sources
    from vldeformer.extractors.photographs import PhotographExtractor
    from vldeformer.steps.features import features
    from vldeformer.steps.prepare import prepare

    raw, prepared, out, settings = world.new("raw"), world.new("prepared"), world.new("features"), world.new("settings")
    dataset = {"source": "karpathy", "name": "tiny", "raw_dir": "raw"} | sources.karpathy(raw)
    with pytest.MonkeyPatch.context() as patch:
        named = write(world.new("network"), patch)
        section = {"grid": 1, "tags": 3, "least_probability": 0.0, "dtype": "float32"} | named | regions
        settings.with_suffix(".json").write_text(json.dumps({"dataset": dataset, "regions": section}))
        prepare(settings=settings.with_suffix(".json"), raw_dir=raw, out=prepared)
        features(settings=settings.with_suffix(".json"), prepared=prepared, out=out)
    extractor = PhotographExtractor.load(out / PhotographExtractor.file_name)
    fitted = {"mean": array(extractor.mean), "deviation": array(extractor.deviation)}
    return store(out / "store", extractor.deviation) | fitted


def lite0(folder, patch):
    from vision_models import write_packages

    write_packages(folder, patch=patch)
    return {"kind": "efficientnet_lite0", "image_size": 64, "grid": 2}


def hub_vision(folder, patch):
    from vision_models import save_vision_model

    save_vision_model(folder, "vit")
    return {"kind": "hub", "model": str(folder)}


def negatives(world, features=None, **changes):
    from vldeformer.steps.negatives import negatives as compose

    out = world.new("negatives")
    compose(settings=world.settings(**changes), manifest=world.manifest, features=features or world.regions, out=out)
    return {name: table(out / f"{name}.parquet") for name in ("text", "image")}


def pretrained(world, pixels=False, **changes):
    return model(world.pretraining(features=world.pixels if pixels else None, **changes))


def trained(world, needs=(), pixels=False, **changes):
    """``needs``: which of start, negatives and teacher the training reads."""
    given = {name: NEEDED[name](world) for name in needs}
    return model(world.training(features=world.pixels if pixels else None, **given, **changes))


NEEDED = {
    "start": lambda world: world.pretrained,
    "negatives": lambda world: world.negatives,
    "teacher": lambda world: world.joint / "model",
}


def in_bfloat16(world):
    """accelerate allows one precision a process, so its state is made anew."""
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)
    try:
        return trained(world, runtime={"precision": "bfloat16"})
    finally:
        AcceleratorState._reset_state(reset_partial_state=True)


def two_processes(world):
    """The same training by two processes on this machine."""
    settings, out = world.settings(train=BOTH, runtime={"processes": 2}), world.new("train")
    options = {
        "settings": settings, "manifest": world.manifest, "features": world.regions, "tokenizer": world.tokenizer,
        "negatives": world.negatives, "out": out,
    }  # fmt: skip
    words = [word for name, path in options.items() for word in (f"--{name}", str(path))]
    # accelerate's own launcher starts several processes on GPUs only; it joins those that torch starts.
    launch = ["torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "vldeformer.cli", "train"]
    command = [sys.executable, "-m", *launch, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return model(out)


def imported(world, write, **options):
    """A published model of random weights, in the layout of the hub or of a VinVL download."""
    import vldeformer
    from vldeformer.steps.import_weights import import_weights

    published, out = world.new("published"), world.new("imported")
    write(published)
    import_weights(str(published), out=out, **options)
    return {"texts": array(vldeformer.load(out).encode_text(["a red dog on grass", "the man"]))}


def oscar(folder):
    from vinvl_files import write_checkpoint

    write_checkpoint(folder)


def vilt(folder):
    from hub_models import save_vilt

    save_vilt(folder)


def visualbert(folder):
    from hub_models import save_visualbert

    save_visualbert(folder)


def vinvl_store(world, dtype="float32"):
    from vinvl_files import detect, write_features

    from vldeformer.steps.import_features import import_features

    download, out = world.new("download"), world.new("store")
    write_features(download, [detect(str(number), 2 + number % 3) for number in range(5)])
    import_features(download, out=out, dtype=dtype)
    return out


def joined_stores(world):
    """Two stores of one detector as one; the second is a copy of the first under another name."""
    import shutil

    from vldeformer.steps.join_features import join_features

    other, out = world.new("other"), world.new("joined")
    shutil.copytree(world.regions, other)
    join_features([world.regions, other], out=out)
    return {name: value for name, value in store(out).items() if name != "ids"}


def imported_words(world):
    from vldeformer.steps.import_vocabulary import import_vocabulary

    out = world.new("tokenizer").with_suffix(".json")
    import_vocabulary(world.dual / "model", out=out)
    return exact(out.read_bytes())


def embedded(world, **changes):
    from vldeformer.steps.embed import embed

    out = world.new("embed")
    inputs = {"model": str(world.dual / "model"), "manifest": world.manifest, "features": world.regions}
    embed(settings=world.settings(**changes), **inputs, out=out)
    return vectors(out)


def gathered(world):
    from vldeformer.steps.embed import embed
    from vldeformer.steps.gather import gather

    inputs = {"model": str(world.dual / "model"), "manifest": world.manifest, "features": world.regions}
    shards = [world.new("shard") for _ in range(2)]
    for number, out in enumerate(shards, start=1):
        embed(settings=world.settings(), **inputs, shard=f"{number}/2", out=out)
    gather(shards, out=world.new("unused").with_name("gathered"))
    return vectors(world.folder / "gathered")


def scored_by_oracle(world):
    from vldeformer.steps.score_oracle import score_oracle

    out = world.new("oracle")
    score_oracle(raw_dir=world.raw, manifest=world.manifest, out=out)
    return scores(out)


def evaluated(world, **given):
    from vldeformer.steps.evaluate import evaluate

    out = world.new("result") / "test.json"
    evaluate(settings=world.settings(), dataset="tiny", experiment="e", out=out, **{"protocol": "test"} | given)
    return result(out)


def ties(world):
    """Vectors of which half are equal: ties count against the model."""
    from vldeformer.steps.evaluate import evaluate

    folder = world.new("ties")
    folder.mkdir()
    images = np.eye(8, dtype=np.float32)
    images[4:] = images[0]
    index = np.repeat(np.arange(8), 2)
    for name, value in (("images", images), ("captions", images[index]), ("index", index)):
        np.save(folder / f"{name}.npy", value)
    arrays = {"images": folder / "images.npy", "captions": folder / "captions.npy", "caption_image_index": folder / "index.npy"}
    evaluate(settings=world.settings(), protocol="all", out=folder / "result.json", **arrays)
    return result(folder / "result.json")


def compositional(world, name):
    from vldeformer.steps.compositional import compositional as judge

    out = world.new("compositional") / "compositional.json"
    inputs = {"model": str(getattr(world, name) / "model"), "items": world.items, "manifest": world.manifest}
    judge(settings=world.settings(), **inputs, features=world.regions, dataset="tiny", experiment="e", out=out)
    return result(out)


def composed_items(world):
    return exact({path.name: json.loads(path.read_text()) for path in sorted(world.items.glob("*.json")) if "_" in path.stem})


def reranked(world, everything=False):
    from vldeformer.steps.rerank import rerank

    out = world.new("rerank")
    inputs = {"embeddings": world.embedded, "joint": world.joint / "model", "manifest": world.manifest, "features": world.regions}
    rerank(settings=world.settings(), **inputs, everything=everything, out=out)
    return {path.stem: result(path) for path in sorted(out.glob("depth_*.json"))}


def timed(world):
    from vldeformer.steps.speed import speed

    out = world.new("speed").with_suffix(".json")
    inputs = {"joint": world.joint / "model", "dual": world.dual / "model", "manifest": world.manifest, "features": world.regions}
    speed(settings=world.settings(), **inputs, out=out)
    return keys(out)


def timed_pair(world):
    from vldeformer.steps.pair_time import pair_time

    out = world.new("pair").with_suffix(".json")
    inputs = {"model": world.joint / "model", "manifest": world.manifest, "features": world.regions}
    pair_time(settings=world.settings(), **inputs, out=out)
    return keys(out)


def reported(world):
    """The headline and the record of a small run made by hand, without what differs between runs."""
    from page_world import make_world

    made = make_world(world.new("reported"))
    folder = made.root / "results" / "w"
    tables = {path.name: exact(path.read_text()) for path in sorted((folder / "tables").glob("*.csv"))}
    return {"metrics": json.loads((folder / "metrics.json").read_text()), "tables": tables}


def page_text(world):
    """The words of the page; drawings and pictures are left out."""
    from page_world import make_world

    from vldeformer.cli import main

    made = make_world(world.new("page"))
    out = made.root / "index.html"
    assert main(["page", *made.arguments(), "--out", str(out)]) == 0
    text = re.sub(r"<svg.*?</svg>|<style.*?</style>|<script.*?</script>|data:[^\"]*", "", out.read_text(), flags=re.DOTALL)
    return exact(text.replace(str(made.root), "").replace(str(made.root).strip("/").replace("/", "-"), ""))


def claims_text(world):
    from page_world import make_world

    from vldeformer.steps.claims import claims

    made = make_world(world.new("claims"))
    claims(results=[made.root / "results" / "w"], out=made.root / "claims.md")
    return exact((made.root / "claims.md").read_text().replace(str(made.root), ""))


def ablated(world):
    """The table of one ablation of two made-up models with two seeds each."""
    from fingerprints import sources
    from vldeformer.steps.ablations import ablations

    root = world.new("ablated")
    given = sources.ablation_inputs(root)
    ablations(**given, out=root / "results")
    folder = root / "results"
    return {
        "metrics": json.loads((folder / "metrics.json").read_text()),
        "tables": {path.name: exact(path.read_text()) for path in sorted((folder / "tables").glob("*.csv"))},
    }


def recorded(world):
    """The record of an experiment, without where it was made."""
    from made_records import made_result, made_test

    from vldeformer.evaluation.experiment_record import ExperimentRecord
    from vldeformer.steps.record import record

    root = world.new("recorded")
    made_result(protocol="test").save(root / "test.json")
    made_test().save(root / "compositional.json")
    section = {"dataset": "scenes", "experiment": "a", "settings": {"versions": {"train": 1}, "train": {"seed": 3}}}
    (root / "settings.json").write_text(json.dumps({"record": section}))
    given = {"settings": root / "settings.json", "results": [root / "test.json"], "compositional": root / "compositional.json"}
    record(**given, out=root / "a.json")
    found = ExperimentRecord.load(root / "a.json")
    (result,), test = found.results, found.compositional
    parts = {"images": result.image_ids, "captions": result.caption_ids, "items": test.keys}
    parts |= {name: getattr(result.ranks, name).tolist() for name in ("i2t", "t2i")}
    parts |= {"outcomes": test.scores.tolist(), "blind": test.blind.tolist(), "subsets": test.subsets}
    return {"settings": found.settings, "keys": sorted(json.loads((root / "a.json").read_text()))} | {
        name: exact(value) for name, value in parts.items()
    }


run = functools.partial
JOINT, VILT, VISUALBERT, LINEAR = {"kind": "joint"}, {"kind": "vilt"}, {"kind": "visualbert"}, {"kind": "linear"}
CASES = {
    "fetch": {"scenes": fetched},
    "prepare": {
        "scenes": prepared,
        **{kind: run(prepared_source, source=kind) for kind in ("karpathy", "joined", "folder", "vinvl")},
    },
    "features": {
        "detector": lambda world: store(world.regions),
        "efficientnet_lite0": run(photograph_regions, write=lite0),
        "hub": run(photograph_regions, write=hub_vision),
    },
    "vocabulary": {"learned": lambda world: exact(world.tokenizer.read_bytes())},
    "negatives": {
        "partner random": negatives,
        "partner category": run(negatives, negatives={"image_partner": "category"}),
        "partner near": run(negatives, negatives={"image_partner": "near"}),
        "replacements tags": run(negatives, negatives={"replacements": "tags"}),
        "pixels": lambda world: negatives(world, world.pixels, backbone=VILT),
    },
    "pretrain": {
        "oscar": pretrained,
        "visualbert": run(pretrained, backbone=VISUALBERT),
        "vilt": run(pretrained, pixels=True, backbone=VILT),
        "contrastive": run(pretrained, pretrain={"contrastive_weight": 1.0}),
    },
    "train": {
        "joint": run(trained, needs=["start"], train=JOINT | {"start": "pretrained"}),
        "joint top layer": run(trained, train=JOINT | {"joint_layers": 1}),
        "dual": run(trained, needs=["start", "negatives"], train=BOTH | {"start": "pretrained"}),
        "start shared": run(trained, needs=["start"], train={"start": {"share": 0.5}}),
        **{f"loss {kind}": run(trained, train={"loss": {"kind": kind} | given}) for kind, given in LOSSES.items()},
        "learned temperature": run(trained, train={"loss": {"kind": "infonce", "temperature": 0.1, "learn_temperature": True}}),
        **{f"pooling {kind}": run(trained, train={"pooling": kind}) for kind in ("cls", "sep", "mean", "mean_all", "mean_max")},
        "separate weights": run(trained, train={"shared_weights": False}),
        **{
            f"negatives {kind}": run(trained, needs=["negatives"], train={"hard_negatives": {"kind": kind, "scope": "anchor"}})
            for kind in ("text", "image", "both")
        },
        "negatives none": run(trained, train={"hard_negatives": {"kind": "none"}}),
        "negatives mined": run(trained, train={"hard_negatives": ANCHOR}),
        "mined with a limit": run(trained, needs=["teacher"], train={"hard_negatives": ANCHOR | {"limit": 0.0}}),
        "distilled": run(
            trained, needs=["teacher"], train={"distillation": {"weight": 0.5, "temperature": 1.0, "candidates": 2}}
        ),
        "chunks": run(trained, needs=["negatives"], train=BOTH | {"chunk_images": 3}),
        "two processes": two_processes,
        "oscar": trained,
        "visualbert": run(trained, backbone=VISUALBERT),
        "linear": run(trained, backbone=LINEAR),
        "vilt": run(trained, pixels=True, backbone=VILT),
        "vilt keeps aspect": run(trained, pixels=True, backbone=VILT | {"keep_aspect": True, "crop_size": 64}),
        "plain kernels": run(trained, runtime={"kernels": "plain"}),
        "bfloat16": in_bfloat16,
    },
    "import_weights": {
        "oscar": run(imported, write=oscar),
        "vilt": run(imported, write=vilt),
        "visualbert": run(imported, write=visualbert),
    },
    "import_vocabulary": {"model folder": imported_words},
    "join_features": {"two stores": joined_stores},
    "import_features": {
        "float32": lambda world: store(vinvl_store(world)),
        "float16": lambda world: store(vinvl_store(world, "float16")),
    },
    "embed": {"oscar": embedded},
    "gather": {"two shards": gathered},
    "score": {"oscar": lambda world: scores(world.scored)},
    "score_oracle": {"scenes": scored_by_oracle},
    "evaluate": {
        "embeddings": lambda world: evaluated(world, embeddings=world.embedded),
        "scores": lambda world: evaluated(world, scores=world.scored, protocol="subset"),
        "ties": ties,
    },
    "compositional_items": {"scenes": composed_items},
    "compositional": {"dual": run(compositional, name="dual"), "joint": run(compositional, name="joint")},
    "rerank": {"depths": reranked, "all images": run(reranked, everything=True)},
    "speed": {"keys": timed},
    "pair_time": {"keys": timed_pair},
    "record": {"made by hand": recorded},
    "report": {"made by hand": reported},
    "ablations": {"two seeds": ablated},
    "page": {"made by hand": page_text},
    "claims": {"made by hand": claims_text},
}
MEMBERS = {
    "dataset.source": ("prepare", "{}"),
    "regions.kind": ("features", "{}"),
    "backbone.kind": ("train", "{}"),
    "train.kind": ("train", "{}"),
    "train.loss.kind": ("train", "loss {}"),
    "train.hard_negatives.kind": ("train", "negatives {}"),
    "pooling": ("train", "pooling {}"),
    "kernels": ("train", "{} kernels"),
    "image_partner": ("negatives", "partner {}"),
}
"""Key of a settings union, or of a choice among words → step and name of the case of each of its members."""
NOT_RUN = {
    ("train.kind", "oracle"): "score_oracle runs it",
    ("kernels", "fast"): "all other cases of train",
    ("regions.kind", "scenes"): "the case detector, which is older than the union",
}
"""Members without a case named after them, and why."""
