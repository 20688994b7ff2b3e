"""The joint matcher and the pre-training heads."""

import pytest
import torch

from vldeformer.models.joint import JointMatcher
from vldeformer.models.pretraining import PretrainingModel

TEXTS = ["a ring", "two blue stars left of a small green box", "a disc"]


@pytest.fixture(scope="module", params=["oscar", "vilt", "visualbert"])
def case(request, make_backbone, readers, manifest):
    opened = readers(request.param)
    matcher = JointMatcher(make_backbone(request.param)).eval()
    torch.nn.init.normal_(matcher.classifier.weight, std=1.0)
    return matcher, opened.text.read(TEXTS), opened.visual.read([image.id for image in manifest.images[:3]])


def test_the_score_ranks_as_the_probability_of_a_match(case):
    matcher, text, visual = case
    with torch.no_grad():
        logits, scores = matcher(text, visual), matcher.score(text, visual)
    odds = logits.softmax(1)
    assert torch.allclose(scores, (odds[:, 1] / odds[:, 0]).log(), atol=1e-4)


def test_the_score_reads_both_the_caption_and_the_image(case):
    matcher, text, visual = case
    with torch.no_grad():
        scores = [matcher.score(text, visual.select(torch.tensor(order))) for order in ([0, 1, 2], [1, 2, 0])]
        swapped = matcher.score(text.select(torch.tensor([1, 2, 0])), visual)
    assert (scores[0] - scores[1]).abs().max() > 1e-3 and (scores[0] - swapped).abs().max() > 1e-3


def test_pretraining_predicts_words_at_the_asked_places_in_order(case):
    matcher, text, visual = case
    model = PretrainingModel(matcher).eval()
    predict = torch.zeros_like(text.mask)
    for place in ((0, 1), (1, 3), (1, 1)):
        predict[place] = True
    with torch.no_grad():
        words, match, _ = model(text, visual, predict, None)
        states = matcher.backbone.encode_jointly(text, visual).states
        for row, place in enumerate([(0, 1), (1, 1), (1, 3)]):
            expected = matcher.backbone.word_embeddings() @ model.word_transform(states[place]) + model.word_bias
            assert torch.allclose(words[row], expected, atol=1e-4)
        assert torch.allclose(match, matcher(text, visual), atol=1e-6)
    assert words.shape == (3, len(matcher.backbone.word_embeddings()))


def test_nothing_masked_is_no_words(case):
    matcher, text, visual = case
    words, _, _ = PretrainingModel(matcher)(text, visual, torch.zeros_like(text.mask), None)
    assert words.shape == (0, len(matcher.backbone.word_embeddings()))
