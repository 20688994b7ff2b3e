"""What each training shows to its model, and what it makes of the answer."""

import dataclasses
import math

import numpy as np
import oracles
import pytest
import torch
from tiny_settings import COMPOSED, SECTIONS, training
from torch import nn

from vldeformer.inputs.drawn_negatives import ComposedNegatives, MinedNegatives
from vldeformer.inputs.streams import PairStream
from vldeformer.models.dual import PairVectors, decompose
from vldeformer.models.joint import JointMatcher
from vldeformer.models.pretraining import PretrainingModel
from vldeformer.objective.retrieval import retrieval_loss
from vldeformer.training.loop import start_processes
from vldeformer.training.optimizer_settings import PretrainSettings
from vldeformer.training.tasks import (
    contrastive_training,
    dual_validation,
    joint_training,
    joint_validation,
    pretraining,
)
from vldeformer.training.vector_loss import ControlVectors, vector_loss


@pytest.fixture
def accelerator(runtime):
    return start_processes(runtime)


@pytest.fixture(scope="module")
def train(manifest):
    return manifest.split("train")


def stream(train, readers, **options):
    read = readers("oscar")
    return PairStream(train, read.text, read.visual, 8, 1, **options)


class Spy(nn.Module):
    """Remembers what it is shown; answers with match logits that depend on the row and with word logits of 0."""

    def forward(self, *inputs):
        self.inputs = inputs
        rows = len(inputs[0].ids)
        match = torch.stack([torch.zeros(rows), torch.arange(rows) / 5 - 1], 1).requires_grad_()
        return torch.zeros(int(inputs[2].sum()), 300), match, None


class MatchSpy(nn.Module):
    """The same in place of a joint matcher."""

    def forward(self, batch, captions, images):
        self.batch, self.pairs = batch, list(zip(captions.tolist(), images.tolist(), strict=True))
        rows = len(captions)
        return torch.stack([torch.zeros(rows), torch.arange(rows) / 5 - 1], 1).requires_grad_(), None


def test_pretraining_masks_all_pairs_once_and_matches_unmasked_ones(train, readers, words, accelerator):
    settings, pairs, spy = PretrainSettings(**SECTIONS["pretrain"]), stream(train, readers), Spy()
    task = pretraining(pairs, words, settings, accelerator)
    masked = 0
    for step in range(4):
        loss, figures = task(spy, step)
        text, visual, predict, aligned = spy.inputs
        batch = pairs.batch(step)
        right = batch.text.ids
        # 8 masked pairs, then 4 matching and 4 mismatched ones that are whole.
        assert aligned is None and len(text) == len(visual) == 16 and not predict[8:].any()
        assert not (predict[:8] & ((right == words.cls) | (right == words.sep) | ~batch.text.mask)).any()
        assert torch.equal(text.ids[:8][~predict[:8]], right[~predict[:8]])
        assert torch.equal(visual.features[:8], batch.visual.features)
        masked += int((text.ids[:8] == words.mask).sum())
        assert not (text.ids[8:] == words.mask).any(), "a [MASK] must not tell whether a pair matches"
        for row in range(4):
            assert torch.equal(text.ids[8 + row], right[row])
            assert torch.equal(visual.features[8 + row], batch.visual.features[row])
            own_caption = torch.equal(text.ids[12 + row], right[row])
            own_image = torch.equal(visual.features[12 + row], batch.visual.features[row])
            assert sorted((own_caption, own_image)) == [False, True]
        logits = (torch.arange(16) / 5 - 1).tolist()[8:]
        matches = [math.log(1 + math.exp(-x if row < 4 else x)) for row, x in enumerate(logits)]
        assert figures["match_loss"] == pytest.approx(sum(matches) / 8, rel=1e-5)
        assert figures["word_loss"] == pytest.approx(math.log(300), rel=1e-5) and predict.any()
        assert loss.item() == pytest.approx(figures["word_loss"] + figures["match_loss"], rel=1e-6)
    assert masked > 10


def test_pretraining_is_a_function_of_the_step(train, readers, words, accelerator):
    settings, spies = PretrainSettings(**SECTIONS["pretrain"]), [Spy(), Spy(), Spy()]
    for spy, step in zip(spies, (3, 3, 4), strict=True):
        pretraining(stream(train, readers), words, settings, accelerator)(spy, step)
    one, two, other = (spy.inputs[0].ids for spy in spies)
    assert torch.equal(one, two) and (one.shape != other.shape or not torch.equal(one, other))


def test_pretraining_aligns_only_if_asked_and_on_unmasked_captions(train, readers, words, make_backbone, accelerator):
    pairs, model = stream(train, readers), PretrainingModel(JointMatcher(make_backbone("oscar"))).eval()
    plain, aligned = (PretrainSettings(**SECTIONS["pretrain"] | {"contrastive_weight": weight}) for weight in (0.0, 0.5))
    alone, _ = pretraining(pairs, words, plain, accelerator)(model, 1)
    both, figures = pretraining(pairs, words, aligned, accelerator)(model, 1)
    with torch.no_grad():
        batch = pairs.batch(1)
        vectors = decompose(model.matcher.backbone).eval()(batch)
        expected = retrieval_loss("infonce", vectors.captions, vectors.images, batch.image_numbers, 0.05)
    assert figures["contrastive_loss"] == pytest.approx(expected.item(), rel=1e-5)
    assert both.item() == pytest.approx(alone.item() + 0.5 * expected.item(), rel=1e-5)


@pytest.mark.parametrize("negatives", [1, 3])
def test_matching_and_mismatched_pairs_weigh_the_same(train, readers, accelerator, negatives):
    settings = training(kind="joint", joint_negatives=negatives)
    spy = MatchSpy()
    loss, _ = joint_training(stream(train, readers), settings, accelerator)(spy, 0)
    numbers = spy.batch.image_numbers.tolist()
    assert spy.pairs[:8] == [(row, row) for row in range(8)]
    for place, (caption, image) in enumerate(spy.pairs[8:]):
        assert place % 8 in (caption, image) and numbers[caption] != numbers[image]
    scores = (torch.arange(8 * (1 + negatives)) / 5 - 1).tolist()
    costs = [math.log(1 + math.exp(-x if row < 8 else x)) for row, x in enumerate(scores)]
    assert loss.item() == pytest.approx((sum(costs[:8]) / 8 + sum(costs[8:]) / (8 * negatives)) / 2, rel=1e-5)


class FromThirdStep:
    """Stands for a ranking: from step 2 on, tables of which some rows have no negative."""

    def __init__(self, negatives, manifest):
        self.negatives, self.manifest = negatives, manifest

    def prepare(self, step):
        images, index = len(self.manifest.images), self.manifest.caption_image_index
        of_images = np.where(np.arange(images) % 2, np.flatnonzero(index == 0)[0], -1)[:, None]
        of_captions = np.where(index % 3, 0, -1)[:, None]
        self.negatives.captions_of_images = of_images if step >= 2 else None
        self.negatives.images_of_captions = of_captions if step >= 2 else None
        return step >= 2


def test_a_curriculum_goes_from_the_batch_to_negatives_of_a_ranking(train, readers, accelerator):
    negatives = MinedNegatives(train, 1)
    pairs, settings, spy = stream(train, readers, negatives=negatives), training(kind="joint", joint_negatives=3), MatchSpy()
    task = joint_training(pairs, settings, accelerator, FromThirdStep(negatives, train))
    plain = joint_training(stream(train, readers), settings, accelerator)
    assert task(spy, 1)[0] == plain(MatchSpy(), 1)[0], "before it, mismatched pairs of the batch"
    loss, _ = task(spy, 2)
    numbers = spy.batch.image_numbers.tolist()
    with_caption = [row for row in range(8) if numbers[row] % 2]
    with_image = [row for row in range(8) if numbers[row] % 3]
    assert 0 < len(with_caption) < 8 and 0 < len(with_image) < 8
    assert torch.equal(spy.batch.hard_text.ids, pairs.batch(2).hard_text.ids)
    expected = [(row, row) for row in range(8)] + [(8 + row, row) for row in with_caption]
    assert spy.pairs == expected + [(row, 8 + row) for row in with_image]
    scores = [row / 5 - 1 for row in range(len(spy.pairs))]
    costs = [math.log(1 + math.exp(-x if row < 8 else x)) for row, x in enumerate(scores)]
    wrong = len(costs) - 8
    assert loss.item() == pytest.approx((sum(costs[:8]) / 8 + sum(costs[8:]) / wrong) / 2, rel=1e-5)


def test_the_cosine_of_a_joint_model_is_aligned_beside_the_matching(train, readers, make_backbone, accelerator):
    chosen = {"control": "linear", "weight": 0.5, "temperature": 0.2}
    cosine = {"temperature": 0.1, "captions_per_image": 2, "control_distillation": chosen}
    settings, pairs = training(kind="joint", joint_negatives=1, cosine=cosine), stream(train, readers, captions=2)
    matcher = JointMatcher(make_backbone("oscar"), cosine=True).eval()
    torch.manual_seed(4)
    rows = (nn.functional.normalize(torch.randn(len(of), 5), dim=-1) for of in (train.captions, train.images))
    control = ControlVectors(*rows, settings.cosine.control_distillation)
    loss, figures = joint_training(pairs, settings, accelerator, control=control)(matcher, 1)
    with torch.no_grad():
        batch = pairs.batch(1)
        vectors = decompose(matcher.backbone).eval()(batch)
        expected, _ = vector_loss(vectors, batch, training(loss=given("infonce") | {"temperature": 0.1}), control)
    assert figures["contrastive_loss"] == pytest.approx(expected.item(), rel=1e-5) and figures["control_loss"] > 0
    assert loss.item() == pytest.approx(figures["match_loss"] + figures["contrastive_loss"], rel=1e-5)


@pytest.mark.parametrize("scope", ["anchor", "batch"])
def test_the_contrastive_task_is_its_loss_on_the_vectors_of_a_batch(train, readers, make_backbone, accelerator, scope):
    hard = {caption.id: ["a ring"] for caption in train.captions if caption.id.endswith(("#0", "#1"))}
    pairs = stream(train, readers, negatives=ComposedNegatives(hard, {}))
    settings, encoder = training(hard_negatives=COMPOSED | {"scope": scope}), decompose(make_backbone("oscar")).eval()
    batch = pairs.batch(2)
    assert 0 < batch.hard_text_valid.sum() < 8
    loss, figures = contrastive_training(pairs, settings, accelerator, {})(encoder, 2)
    assert figures.keys() == {"data_seconds"} and 0 < figures["data_seconds"] < 60
    with torch.no_grad():
        captions, negatives = map(encoder.encode_text, (batch.text, batch.hard_text))
        images = encoder.encode_visual(batch.visual)
        expected = retrieval_loss(
            "infonce", captions, images, batch.image_numbers, 0.1, 1.0, negatives, batch.hard_text_valid, scope=scope
        )
        without = retrieval_loss("infonce", captions, images, batch.image_numbers, 0.1)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5) != pytest.approx(without.item(), rel=1e-3)


def test_several_captions_of_an_image_are_the_mean_of_the_losses_of_each(train, readers, make_backbone, accelerator):
    hard = {caption.id: ["a ring"] for caption in train.captions if caption.id.endswith(("#0", "#1"))}
    pairs = stream(train, readers, negatives=ComposedNegatives(hard, {}), captions=3)
    settings, encoder = training(hard_negatives=COMPOSED, captions_per_image=3), decompose(make_backbone("oscar")).eval()
    batch = pairs.batch(2)
    loss, _ = contrastive_training(pairs, settings, accelerator, {})(encoder, 2)
    with torch.no_grad():
        negatives, images = encoder.encode_text(batch.hard_text), encoder.encode_visual(batch.visual)
        each = [
            retrieval_loss(
                "infonce", encoder.encode_text(text), images, batch.image_numbers, 0.1, 1.0, negatives, batch.hard_text_valid
            ).item()
            for text in (batch.text, *batch.further_text)
        ]
    assert loss.item() == pytest.approx(sum(each) / 3, rel=1e-5) != pytest.approx(each[0], rel=1e-3)


def test_cosines_of_a_control_are_soft_targets_by_plain_loops(train, readers):
    batch = stream(train, readers, captions=2).batch(1)
    numbers = batch.image_numbers.clone()
    numbers[3] = numbers[2]  # two pairs of one image are no candidates of each other
    batch = dataclasses.replace(batch, image_numbers=numbers)
    torch.manual_seed(4)

    def unit(*shape):
        return nn.functional.normalize(torch.randn(*shape), dim=-1)

    chosen = {"control": "linear", "weight": 0.7, "temperature": 0.2}
    settings = training(captions_per_image=2, control_distillation=chosen)
    control = ControlVectors(unit(len(train.captions), 5), unit(len(train.images), 5), settings.control_distillation)
    vectors = PairVectors(unit(8, 6), unit(8, 6), None, None, further_captions=unit(8, 1, 6))
    plain, _ = vector_loss(vectors, batch, settings)
    found, figures = vector_loss(vectors, batch, settings, control)

    def divergence(ours, theirs):
        ours, theirs = (np.exp(np.array(row) - max(row)) for row in (ours, theirs))
        ours, theirs = ours / ours.sum(), theirs / theirs.sum()
        return float((theirs * (np.log(theirs) - np.log(ours))).sum())

    total = 0.0
    for turn, captions in enumerate((vectors.captions, vectors.further_captions[:, 0])):
        for by_caption in (True, False):
            for one in range(8):
                others = [two for two in range(8) if two == one or numbers[two] != numbers[one]]
                pairs = [(one, two) if by_caption else (two, one) for two in others]
                ours = [float(captions[c] @ vectors.images[i]) / 0.1 for c, i in pairs]
                rows = [(batch.caption_rows[c, turn], numbers[i]) for c, i in pairs]
                theirs = [float(control.captions[c] @ control.images[i]) / 0.2 for c, i in rows]
                total += divergence(ours, theirs) / 8 / 2
    assert figures["control_loss"] == pytest.approx(total, rel=1e-4)
    assert found.item() == pytest.approx(plain.item() + 0.7 * total, rel=1e-5)


@pytest.mark.parametrize("loss", ["infonce", "triplet", "triplet_hard", "multi_similarity", "sigmoid"])
def test_captions_of_one_image_are_never_each_others_negatives(train, readers, loss):
    """The slope of the loss along each cosine of a caption and an image; pairs 0 and 1 are of one image."""
    batch = stream(train, readers).batch(0)
    batch = dataclasses.replace(batch, image_numbers=torch.tensor([7, 7, 2, 3, 4, 5, 6, 8]))
    # A caption is at right angles to all images but its own, so that its own pulls it neither to nor from the others.
    captions = (0.8 * torch.eye(8, 16) + 0.6 * torch.eye(16)[8:]).requires_grad_()
    images = torch.eye(8, 16).requires_grad_()
    vector_loss(PairVectors(captions, images, None, None), batch, training(loss=given(loss)))[0].backward()
    unlike = batch.image_numbers[:, None] != batch.image_numbers
    for slopes in (captions.grad @ images.detach().T, images.grad @ captions.detach().T):
        pushed = slopes[unlike].max()
        assert pushed > 0, "captions of other images are pushed away"
        assert max(slopes[0, 1], slopes[1, 0]) <= 0.001 * pushed, "those of the same image never"


def given(loss):
    keys = {"temperature": 1.0} if loss in ("infonce", "sigmoid") else {"margin": 3.0} if "triplet" in loss else {}
    return {"kind": loss} | keys


def mean_of_six(table, index):
    i2t, t2i = oracles.ranks(table, *oracles.right_sets(index, len(table)))
    return sum(oracles.recall_at(ranks, cutoff) for ranks in (i2t, t2i) for cutoff in (1, 5, 10)) / 6


def test_validation_is_the_mean_of_six_recalls(manifest, readers, make_backbone):
    read, val, backbone = readers("oscar"), manifest.split("val"), make_backbone("oscar")
    encoder, matcher = decompose(backbone).eval(), JointMatcher(backbone).eval()
    nn.init.normal_(matcher.classifier.weight, std=1.0)
    with torch.no_grad():
        found = [
            dual_validation(val, read)(encoder),
            joint_validation(val, read)(matcher),
        ]
        images = torch.cat([encoder.encode_visual(read.visual.read([image.id])) for image in val.images])
        captions = torch.cat([encoder.encode_text(read.text.read([caption.text])) for caption in val.captions])
        joint = [
            [matcher.score(read.text.read([caption.text]), read.visual.read([image.id])).item() for caption in val.captions]
            for image in val.images
        ]
    index = val.caption_image_index.tolist()
    assert found[0] == pytest.approx(mean_of_six(oracles.cosine_table(images.numpy(), captions.numpy()), index))
    assert found[1] == pytest.approx(mean_of_six(torch.tensor(joint).numpy(), index))
