"""Scores of listed pairs against one pair at a time, whatever the batches."""

import numpy as np
import pytest
import torch

from vldeformer.errors import InputError
from vldeformer.models.joint import JointMatcher
from vldeformer.retrieval.pair_scores import score_listed


@pytest.mark.parametrize("kind", ["oscar", "visualbert", "vilt"])
@pytest.mark.parametrize("batch_size", [5, 512])
def test_listed_pairs_score_as_each_alone(kind, batch_size, manifest, readers, make_backbone, runtime):
    matcher, opened = JointMatcher(make_backbone(kind), 0.1).eval(), readers(kind)
    test = manifest.split("test")
    draw = np.random.default_rng(4)
    pairs = draw.integers(len(test.images), size=23), draw.integers(len(test.captions), size=23)
    seen = []
    found = score_listed(matcher, test, pairs, opened.text, opened.visual, runtime, seen.append, batch_size)
    assert sum(seen) == 23 and max(seen) <= batch_size and found.dtype == np.float32
    for number, (image, caption) in enumerate(zip(*pairs, strict=True)):
        with torch.inference_mode():
            text, visual = opened.text.read([test.captions[caption].text]), opened.visual.read([test.images[image].id])
            assert found[number] == pytest.approx(float(matcher.score(text, visual)), abs=1e-3, rel=1e-4)
    assert found.std() > 0.01


def test_a_pair_without_a_finite_score_is_named(manifest, readers, make_backbone, runtime):
    matcher, opened = JointMatcher(make_backbone("oscar"), 0.1).eval(), readers("oscar")
    with torch.no_grad():
        matcher.classifier.weight.fill_(float("nan"))
    test = manifest.split("test")
    with pytest.raises(InputError) as caught:
        score_listed(matcher, test, (np.array([1]), np.array([7])), opened.text, opened.visual, runtime)
    assert test.images[1].id in str(caught.value) and test.captions[7].id in str(caught.value)
