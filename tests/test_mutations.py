"""The fingerprints of `test_versions.py` see a change of the method: each of these mutations of the code must be caught."""

import inspect
import textwrap

import pytest
from fingerprints.cases import CASES
from fingerprints.record import read
from fingerprints.values import differences

from vldeformer.evaluation import measures
from vldeformer.inputs import batch, streams
from vldeformer.models import pooling
from vldeformer.objective import contrastive, matching
from vldeformer.retrieval import ranking
from vldeformer.training import loop, optim

pytestmark = pytest.mark.slow

DUAL, EVALUATED = ("train", "dual"), ("evaluate", "embeddings")
MUTATIONS = {
    "learning rate: another decay": (optim.learning_rate, "0.5 * (1 +", "0.4 * (1 +", DUAL),
    "learning rate: warm-up off by one": (optim.learning_rate, "(step + 1)", "(step + 2)", DUAL),
    "mask off by one": (
        batch.RegionInput.trimmed,
        "self.region_mask[:, :regions]",
        "self.region_mask[:, :regions].roll(1, 1)",
        DUAL,
    ),
    "ties count for the model": (ranking._undecided, "scores >= best", "scores > best", ("evaluate", "ties")),
    "recall at k misses rank k": (measures.mean_recall, "own <= cutoff", "own < cutoff", DUAL),
    "pooling: padding counts": (pooling._mean, ".clamp(min=1)", ".clamp(min=mask.shape[1])", DUAL),
    "dropout: another seed": (loop.fit, '"dropout", step,', '"dropout", step + 1,', DUAL),
    "clipping: not done": (loop.fit, "CLIP_NORM)", "1e9)", DUAL),
    "selection: the last weights are kept": (loop.fit, "if value > best_value:", "if True:", ("train", "loss infonce")),
    "weight decay of biases": (optim.build_optimizer, '"weight_decay": 0.0', '"weight_decay": 5.0', DUAL),
    "order of images: the same each epoch": (streams.EpochSampler._draw_order, 'image order", epoch', 'image order", 0', DUAL),
    "captions: always the first": (streams.PairStream._rows, "draw.integers(counts)", "(0 * rows)", DUAL),
    "loss: temperature multiplies": (contrastive.info_nce, "= temperature", "= 1 / temperature", DUAL),
    "matching: images are swapped less often": (matching.mismatched, "< 0.5", "< 0.6", ("train", "joint")),
    "masked words: none becomes a random word": (matching.mask_words, "(fate < 0.9)", "(fate < 0.8)", ("pretrain", "oscar")),
    "bootstrap: one image is never drawn": (measures.Bootstrap.draws, "(n_images, size", "(n_images - 1, size", EVALUATED),
}
"""What changes: function, text in it, what takes its place; step and case that must see it."""


@pytest.fixture(scope="module", autouse=True)
def unmutated(fingerprint_world):
    """What the cases compute without a mutation. Made first: the world keeps its parts, and none may come from mutated code."""
    return {(step, case): CASES[step][case](fingerprint_world) for *_, (step, case) in MUTATIONS.values()}


def test_the_cases_are_as_recorded_without_a_mutation(unmutated):
    for (step, case), found in unmutated.items():
        assert list(differences(recorded(step, case), found)) == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_fingerprint_changes_with_the_method(fingerprint_world, monkeypatch, name):
    function, old, new, (step, case) = MUTATIONS[name]
    mutate(monkeypatch, function, old, new)
    assert list(differences(recorded(step, case), CASES[step][case](fingerprint_world))), f"{step}, case {case}: not seen"


def recorded(step, case):
    (cases,) = read(step).values()
    return cases[case]


def mutate(monkeypatch, function, old, new):
    """Run ``function`` with ``new`` in place of ``old`` in its source, wherever it has been imported."""
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(old) == 1, f"{old!r} must be once in {function.__qualname__}"
    scope = {}
    exec(compile(source.replace(old, new), f"<mutation of {function.__qualname__}>", "exec"), function.__globals__, scope)
    monkeypatch.setattr(function, "__code__", scope[function.__name__].__code__)
