"""The joint matcher, whose lower layers may read apart, and the pre-training heads."""

import pytest
import torch

from vldeformer.inputs.batch import PairBatch, TextInput
from vldeformer.models.dual import decompose
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
        logits, scores = matcher.logits(text, visual), matcher.score(text, visual)
    odds = logits.softmax(1)
    assert torch.allclose(scores, (odds[:, 1] / odds[:, 0]).log(), atol=1e-4)


def test_the_score_reads_both_the_caption_and_the_image(case):
    matcher, text, visual = case
    with torch.no_grad():
        scores = [matcher.score(text, visual.select(torch.tensor(order))) for order in ([0, 1, 2], [1, 2, 0])]
        swapped = matcher.score(text.select(torch.tensor([1, 2, 0])), visual)
    assert (scores[0] - scores[1]).abs().max() > 1e-3 and (scores[0] - swapped).abs().max() > 1e-3


@pytest.mark.parametrize("kind", ["oscar", "vilt", "visualbert"])
@pytest.mark.parametrize("first", [0, 1, 3])
def test_layers_run_in_two_parts_are_the_layers_run_at_once(make_backbone, readers, manifest, kind, first):
    backbone, opened = make_backbone(kind, layers=3), readers(kind)
    text, visual = opened.text.read(TEXTS), opened.visual.read([image.id for image in manifest.images[:3]])
    with torch.no_grad():
        joined = backbone.text_sequence(text).followed_by(backbone.visual_sequence(visual, after=text))
        parts = backbone.encode(backbone.encode(joined, last=first), first=first)
        shown = joined.mask
        assert torch.equal(parts.states[shown], backbone.encode(joined).states[shown]) and torch.equal(parts.mask, shown)
        assert torch.equal(backbone.encode(joined, last=0).states[shown], joined.states[shown])


@pytest.mark.parametrize("kind", ["oscar", "vilt", "visualbert"])
def test_what_is_read_apart_is_read_as_by_the_decomposed_model(make_backbone, readers, manifest, kind):
    backbone, opened = make_backbone(kind, layers=3), readers(kind)
    text, visual = opened.text.read(TEXTS), opened.visual.read([image.id for image in manifest.images[:3]])
    matcher = JointMatcher(backbone, apart=2).eval()
    with torch.no_grad():
        # By hand: two layers alone, one layer over both, and at its end what the transformer does behind its last layer.
        words = backbone.encode(backbone.text_sequence(text), 0, 2)
        image = backbone.encode(backbone.visual_sequence(visual), 0, 2)
        summary = backbone.summary(backbone.encode(words.followed_by(image), 2))
        assert torch.equal(matcher.logits(text, visual), matcher.classifier(summary))
        assert torch.equal(matcher.read_text(text).sequence.states, words.states)
        for after in (text, text.select(torch.tensor([1, 2, 0]))):
            assert torch.equal(matcher.read_visual(visual, after).sequence.states, image.states)
        whole = JointMatcher(backbone)
        whole.classifier.load_state_dict(matcher.classifier.state_dict())
        assert (whole.eval().logits(text, visual) - matcher.logits(text, visual)).abs().max() > 1e-3, "depth does matter"
        encoded = backbone.encode_jointly(text, visual)
        assert torch.equal(whole.logits(text, visual), whole.classifier(backbone.summary(encoded)))


@pytest.mark.parametrize("kind", ["oscar", "vilt", "visualbert"])
@pytest.mark.parametrize("apart", [0, 1])
def test_of_the_caption_in_front_an_image_knows_only_the_length(make_backbone, readers, manifest, kind, apart):
    matcher, opened = JointMatcher(make_backbone(kind), apart=apart), readers(kind)
    text, visual = opened.text.read(TEXTS), opened.visual.read([image.id for image in manifest.images[:3]])
    other = TextInput(torch.full_like(text.ids, 9), text.mask)
    with torch.no_grad():
        one, two = matcher.read_visual(visual, after=text), matcher.read_visual(visual, after=other)
    assert torch.equal(one.sequence.states, two.sequence.states) and torch.equal(one.sequence.mask, two.sequence.mask)


@pytest.mark.parametrize("kind", ["oscar", "vilt", "visualbert"])
def test_padding_changes_nothing_where_lower_layers_read_apart(make_backbone, readers, manifest, kind):
    matcher, opened = JointMatcher(make_backbone(kind, layers=3), apart=2).eval(), readers(kind)
    torch.nn.init.normal_(matcher.classifier.weight, std=1.0)
    ids = [image.id for image in manifest.images[:3]]
    with torch.no_grad():
        together = matcher.score(opened.text.read(TEXTS), opened.visual.read(ids))
        alone = [matcher.score(opened.text.read([text]), opened.visual.read([one])) for text, one in zip(TEXTS, ids, strict=True)]
        padded = matcher.score(readers(kind, full=True).text.read(TEXTS), readers(kind, full=True).visual.read(ids))
    assert torch.allclose(together, torch.cat(alone), atol=1e-4) and torch.allclose(together, padded, atol=1e-4)


def test_every_weight_of_a_partly_joint_matcher_is_trained(make_backbone, readers, manifest):
    for kind in ("oscar", "vilt", "visualbert"):
        whole, partly = JointMatcher(make_backbone(kind)), JointMatcher(make_backbone(kind), apart=1)
        opened = readers(kind)
        text, visual = opened.text.read(TEXTS), opened.visual.read([image.id for image in manifest.images[:3]])
        moved = []
        for matcher in (whole, partly):
            matcher.logits(text, visual)[:, 1].sum().backward()
            moved.append({name for name, weight in matcher.named_parameters() if weight.grad is not None})
        assert moved[0] == moved[1] and whole.state_dict().keys() == partly.state_dict().keys()


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
        assert torch.allclose(match, matcher.logits(text, visual), atol=1e-6)
    assert words.shape == (3, len(matcher.backbone.word_embeddings()))


def test_nothing_masked_is_no_words(case):
    matcher, text, visual = case
    words, _, _ = PretrainingModel(matcher)(text, visual, torch.zeros_like(text.mask), None)
    assert words.shape == (0, len(matcher.backbone.word_embeddings()))


@pytest.mark.parametrize("kind", ["oscar", "vilt", "visualbert"])
@pytest.mark.parametrize("apart", [0, 1])
def test_the_cosine_of_the_decomposed_reading_adds_to_the_match(make_backbone, readers, manifest, kind, apart):
    backbone, opened = make_backbone(kind), readers(kind)
    text, visual = opened.text.read(TEXTS), opened.visual.read([image.id for image in manifest.images[:3]])
    plain, matcher = JointMatcher(backbone, apart=apart).eval(), JointMatcher(backbone, apart=apart, cosine=True).eval()
    matcher.classifier.load_state_dict(plain.classifier.state_dict())
    captions, images = torch.tensor([0, 2, 1, 1]), torch.tensor([2, 2, 0, 1])
    with torch.no_grad():
        added = matcher.logits(text, visual, (captions, images)) - plain.logits(text, visual, (captions, images))
        each = [matcher.score(text.select(c), visual.select(i)) for c, i in zip(captions.split(1), images.split(1), strict=True)]
        found = matcher.score(text, visual, (captions, images))
        halves = matcher.read_text(text.select(captions)), matcher.read_visual(visual.select(images), text.select(captions))
        for caption, image, row in zip(captions.tolist(), images.tolist(), added, strict=True):
            means = []
            for sequence, number in ((backbone.text_sequence(text), caption), (backbone.visual_sequence(visual), image)):
                encoded = backbone.encode(sequence)
                states = encoded.states[number][encoded.mask[number]]
                means.append(torch.tanh(sum(states) / len(states)))
            cosine = means[0] @ means[1] / (means[0].norm() * means[1].norm())
            assert row[0] == 0 and row[1].item() == pytest.approx(20 * cosine.item(), abs=1e-4)
    assert torch.allclose(found, torch.cat(each), atol=1e-4), "whatever pairs are read beside it"
    assert torch.allclose(matcher.match(*halves), matcher.logits(text, visual, (captions, images)), atol=1e-4)


@pytest.mark.parametrize("cosine", [False, True])
def test_pairs_of_a_batch_may_take_its_hard_negatives(make_backbone, readers, manifest, cosine):
    opened, matcher = readers("oscar"), JointMatcher(make_backbone("oscar"), cosine=cosine).eval()
    ids, more = [image.id for image in manifest.images[:3]], [image.id for image in manifest.images[3:6]]
    wrong, valid = ["a small box left of a star", "a ring", "two discs"], torch.ones(3, dtype=torch.bool)
    hard = opened.text.read(wrong), valid, opened.visual.read(more), valid
    batch = PairBatch(opened.text.read(TEXTS), opened.visual.read(ids), torch.arange(3), *hard)
    rows = [(0, 0), (4, 1), (2, 5), (3, 3)]
    captions, images = (torch.tensor(side) for side in zip(*rows, strict=True))
    with torch.no_grad():
        logits, vectors = matcher(batch, captions, images)
        for (caption, image), found in zip(rows, logits, strict=True):
            alone = matcher.logits(opened.text.read([(TEXTS + wrong)[caption]]), opened.visual.read([(ids + more)[image]]))
            assert torch.allclose(found, alone[0], atol=1e-4)
        assert (vectors is not None) == cosine
        if cosine:
            assert torch.allclose(
                vectors.hard_captions, decompose(matcher.backbone).eval().encode_text(batch.hard_text), atol=1e-5
            )
    matcher.train()(batch, captions, images)[0].sum().backward()
    assert (matcher.cosine_scale is not None) == cosine and (not cosine or matcher.cosine_scale.grad.abs() > 0)
