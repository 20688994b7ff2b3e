"""The fingerprints of `test_versions.py` see a change of the method: each of these mutations of the code must be caught."""

import inspect
import textwrap

import pytest
from fingerprints.cases import CASES
from fingerprints.record import read
from fingerprints.values import differences

from vldeformer.evaluation import measures
from vldeformer.inputs import batch, sampler, streams
from vldeformer.models import dual, pooling
from vldeformer.objective import contrastive, matching
from vldeformer.retrieval import ranking
from vldeformer.training import loop, optim, schedule

pytestmark = pytest.mark.slow

MUTATIONS = {
    "learning rate: another decay": (schedule.learning_rate, "0.5 * (1 +", "0.4 * (1 +", "train", "dual"),
    "learning rate: warm-up off by one": (schedule.learning_rate, "(step + 1)", "(step + 2)", "train", "dual"),
    "mask off by one": (batch.RegionInput.trimmed, "self.region_mask[:, :regions]", "self.region_mask[:, :regions].roll(1, 1)", "train", "dual"),
    "ties count for the model": (ranking._undecided, "scores >= best", "scores > best", "evaluate", "ties"),
    "recall at k counts one rank less": (measures.mean_recall, "own <= cutoff", "own < cutoff", "train", "dual"),
    "pooling: padding counts": (pooling._mean, ".clamp(min=1)", ".clamp(min=mask.shape[1])", "train", "dual"),
    "dropout: another seed": (loop.fit, 'settings.seed, "dropout", step,', 'settings.seed, "dropout", step + 1,', "train", "dual"),
    "clipping: not done": (loop.fit, "settings.clip_norm)", "1e9)", "train", "dual"),
    "selection: the last weights are kept": (loop.fit, "if value > best_value:", "if True:", "train", "dual"),
    "weight decay of biases": (optim.build_optimizer, '"weight_decay": 0.0', '"weight_decay": 0.5', "train", "dual"),
    "order of images: the same each epoch": (sampler.EpochSampler._draw_order, '"image order", epoch', '"image order", 0', "train", "dual"),
    "captions: always the first": (streams.PairStream._rows, "draw.integers(self.caption_counts[rows])", "0 * rows", "train", "dual"),
    "loss: temperature multiplies": (contrastive.info_nce, "= temperature", "= 1 / temperature", "train", "dual"),
    "matching: images are swapped more often": (matching.mismatched, "< 0.5", "< 0.4", "train", "joint"),
    "masked words: none becomes a random word": (matching.mask_words, "(fate < 0.9)", "(fate < 0.8)", "pretrain", "oscar"),
    "bootstrap: one resample fewer is drawn": (measures.Bootstrap.draws, "n_images, size", "n_images - 1, size", "evaluate", "embeddings"),
}
"""What changes: function, text in it, what takes its place, and the step and case that must see it."""


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_fingerprint_changes_with_the_method(fingerprint_world, monkeypatch, name):
    function, old, new, step, case = MUTATIONS[name]
    (recorded,) = read(step).values()
    mutate(monkeypatch, function, old, new)
    assert list(differences(recorded[case], CASES[step][case](fingerprint_world))), f"{step}, case {case}: not seen"


def test_the_cases_are_as_recorded_without_a_mutation(fingerprint_world):
    for step, case in sorted({(step, case) for *_, step, case in MUTATIONS.values()}):
        (recorded,) = read(step).values()
        assert list(differences(recorded[case], CASES[step][case](fingerprint_world))) == []


def mutate(monkeypatch, function, old, new):
    """Run ``function`` with ``new`` in place of ``old`` in its source, wherever it has been imported."""
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(old) == 1, f"{old!r} must be once in {function.__qualname__}"
    scope = {}
    exec(compile(source.replace(old, new), f"<mutation of {function.__qualname__}>", "exec"), function.__globals__, scope)
    monkeypatch.setattr(function, "__code__", scope[function.__name__].__code__)
