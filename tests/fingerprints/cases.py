"""What is run of each step: step → case → function of the world that returns a fingerprint.

A case is named after the member of a settings union that it runs (``MEMBERS``), so that a new member needs a new case.
"""

import functools
import importlib

from fingerprints.data_steps import (
    fetched,
    hub_vision,
    imported_words,
    joined_stores,
    lite0,
    negatives,
    photograph_regions,
    prepared,
    prepared_source,
    vinvl_store,
)
from fingerprints.model_steps import imported, in_bfloat16, oscar, pretrained, trained, two_processes, vilt, visualbert
from fingerprints.outputs import scores, store
from fingerprints.result_steps import (
    ablated,
    claims_text,
    composed_items,
    compositional,
    embedded,
    evaluated,
    gathered,
    page_text,
    recorded,
    reported,
    reranked,
    scored_by_oracle,
    scored_by_words,
    ties,
    timed,
    timed_pair,
)
from fingerprints.values import exact

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
    "score_lexical": {"scenes": scored_by_words},
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
    ("train.kind", "lexical"): "score_lexical runs it",
    ("kernels", "fast"): "all other cases of train",
    ("regions.kind", "scenes"): "the case detector, which is older than the union",
}
"""Members without a case named after them, and why."""
