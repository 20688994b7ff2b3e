"""Scores of all pairs and of listed pairs against one pair at a time, whatever the batches."""

import dataclasses

import numpy as np
import pytest
import torch

from vldeformer.errors import InputError
from vldeformer.models.joint import JointMatcher
from vldeformer.retrieval import pair_scores
from vldeformer.retrieval.pair_scores import score_all, score_listed


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    for name, size in (("CAPTIONS_AT_ONCE", 7), ("IMAGES_AT_ONCE", 3)):
        monkeypatch.setattr(pair_scores, name, size)


@pytest.mark.parametrize("kind", ["oscar", "visualbert", "vilt"])
@pytest.mark.parametrize("batch_size", [5, 512])
def test_listed_pairs_score_as_each_alone(kind, batch_size, manifest, readers, make_backbone):
    matcher, opened = JointMatcher(make_backbone(kind), 0.1).eval(), readers(kind)
    test = manifest.split("test")
    draw = np.random.default_rng(4)
    pairs = draw.integers(len(test.images), size=23), draw.integers(len(test.captions), size=23)
    seen = []
    found = score_listed(matcher, test, pairs, opened, seen.append, batch_size)
    assert sum(seen) == 23 and max(seen) <= batch_size and found.dtype == np.float32
    for number, (image, caption) in enumerate(zip(*pairs, strict=True)):
        with torch.inference_mode():
            text, visual = opened.text.read([test.captions[caption].text]), opened.visual.read([test.images[image].id])
            assert found[number] == pytest.approx(float(matcher.score(text, visual)), abs=1e-3, rel=1e-4)
    assert found.std() > 0.01


def test_a_pair_without_a_finite_score_is_named(manifest, readers, make_backbone):
    matcher, opened = JointMatcher(make_backbone("oscar"), 0.1).eval(), readers("oscar")
    with torch.no_grad():
        matcher.classifier.weight.fill_(float("nan"))
    test = manifest.split("test")
    with pytest.raises(InputError) as caught:
        score_listed(matcher, test, (np.array([1]), np.array([7])), opened)
    assert test.images[1].id in str(caught.value) and test.captions[7].id in str(caught.value)


@pytest.mark.parametrize("apart", [0, 2])
@pytest.mark.parametrize("kind", ["oscar", "vilt", "visualbert"])
def test_scores_are_those_of_one_pair_alone(test_set, readers, make_backbone, kind, apart):
    part, read, told = test_set.first(4), readers(kind), []
    matcher = JointMatcher(make_backbone(kind, layers=3), apart=apart).eval()
    torch.nn.init.normal_(matcher.classifier.weight, std=1.0)
    found = score_all(matcher, part, read, told.append)
    assert found.scores.shape == (4, 20) and found.caption_ids == tuple(caption.id for caption in part.captions)
    with torch.no_grad():
        for row, image in enumerate(part.images):
            for column, caption in enumerate(part.captions):
                one = matcher.score(read.text.read([caption.text]), read.visual.read([image.id])).item()
                assert found.scores[row, column] == pytest.approx(one, abs=1e-4)
    assert sum(told) == 80 and np.ptp(found.scores, axis=0).min() > 1e-3 and np.ptp(found.scores, axis=1).min() > 1e-3


@pytest.mark.parametrize("apart", [0, 2])
def test_captions_and_images_are_read_once_for_all_their_pairs(test_set, readers, make_backbone, apart):
    part, read = test_set.first(4), readers("vilt")
    matcher = JointMatcher(make_backbone("vilt", layers=3), apart=apart).eval()
    rows = {"patches": [], "words": [], "lower": [], "upper": []}
    embeddings, layers = matcher.backbone.vilt.embeddings, matcher.backbone.vilt.encoder.layer
    for name, module in (("patches", embeddings.patch_embeddings), ("words", embeddings.text_embeddings), ("upper", layers[2])):
        module.register_forward_hook(lambda _, given, out, name=name: rows[name].append(len(out[0] if name == "upper" else out)))
    layers[0].register_forward_hook(lambda _, given, out: rows["lower"].append(len(out[0])))
    score_all(matcher, part, read)
    lengths = len({len(row) for row in read.text.words.encode([one.text for one in part.captions], read.text.most_tokens)})
    assert sum(rows["words"]) == 20 and sum(rows["upper"]) == 80
    assert sum(rows["patches"]) == (4 if apart else 4 * lengths)
    assert sum(rows["lower"]) == (24 if apart else 80)


@pytest.mark.parametrize("apart", [0, 2])
def test_the_vectors_in_a_score_are_made_once_an_item(test_set, readers, make_backbone, apart):
    part, read = test_set.first(4), readers("vilt")
    matcher = JointMatcher(make_backbone("vilt", layers=3), apart=apart, cosine=True).eval()
    torch.nn.init.normal_(matcher.classifier.weight, std=1.0)
    rows = []
    layers = matcher.backbone.vilt.encoder.layer
    layers[2].register_forward_hook(lambda _, given, out: rows.append(len(out[0])))
    found = score_all(matcher, part, read).scores
    assert sum(rows) == 80 + 20 + 4, "pairs, captions, images"
    with torch.no_grad():
        for row, column in ((0, 0), (1, 17), (3, 5)):
            text, visual = read.text.read([part.captions[column].text]), read.visual.read([part.images[row].id])
            assert found[row, column] == pytest.approx(matcher.score(text, visual).item(), abs=1e-4)


def test_a_partly_joint_model_scores_in_bfloat16(test_set, readers, make_backbone, runtime):
    part, read = test_set.first(4), readers("oscar")
    matcher = JointMatcher(make_backbone("oscar", layers=3), apart=2).eval()
    exact, near = (
        score_all(matcher, part, dataclasses.replace(read, runtime=runtime.model_copy(update={"precision": precision}))).scores
        for precision in ("float32", "bfloat16")
    )
    assert near.dtype == np.float32 and 0 < np.abs(exact - near).max() < 0.1
