"""Cases of the steps that embed, score, judge and report."""

import json
import re

import numpy as np

from fingerprints.outputs import keys, plain, result, scores, vectors
from fingerprints.values import exact


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


def scored_by_words(world):
    from vldeformer.steps.score_lexical import score_lexical

    out = world.new("lexical")
    score_lexical(settings=world.settings(), manifest=world.manifest, features=world.regions, out=out)
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
    return {"settings": found.settings, "keys": sorted(plain(root / "a.json"))} | {
        name: exact(value) for name, value in parts.items()
    }
