"""The joint model's scores of the hard candidates as soft targets, against a plain loop."""

import dataclasses
import math

import pytest
import torch

from vldeformer.inputs.drawn_negatives import ComposedNegatives
from vldeformer.inputs.streams import PairStream
from vldeformer.models.dual import decompose
from vldeformer.models.joint import JointMatcher
from vldeformer.training import teacher as teacher_module
from vldeformer.training.settings import Distillation
from vldeformer.training.teacher import Teacher, soft_target_loss


@pytest.fixture
def teacher(make_backbone, runtime):
    torch.manual_seed(4)
    matcher = JointMatcher(make_backbone("oscar"), 0.1).eval()
    torch.nn.init.normal_(matcher.classifier.weight, std=0.3)
    return Teacher(matcher, runtime)


@pytest.fixture
def batch(manifest, readers):
    train, read = manifest.split("train"), readers("oscar")
    hard = {caption.id: ["a ring beside a hoop"] for caption in train.captions if caption.id.endswith(("#0", "#1", "#2"))}
    made = PairStream(train, read.text, read.visual, 6, 1, negatives=ComposedNegatives(hard, {})).batch(0)
    # Two captions of one image in the batch.
    return dataclasses.replace(made, image_numbers=torch.tensor([3, 1, 2, 3, 5, 6]))


def log_softmax(values):
    highest = max(values)
    total = math.log(sum(math.exp(value - highest) for value in values)) + highest
    return [value - total for value in values]


@pytest.mark.parametrize("candidates", [1, 2, 9])
def test_the_loss_is_that_of_a_plain_loop(teacher, batch, make_backbone, candidates, monkeypatch):
    monkeypatch.setattr(teacher_module, "PAIRS_AT_ONCE", 4)
    given = Distillation(weight=1.0, temperature=2.0, candidates=candidates)
    with torch.no_grad():
        vectors = decompose(make_backbone("oscar")).eval()(batch)
        joint = [
            [teacher.matcher.score(batch.text.select([c]), batch.visual.select([i])).item() for i in range(6)] for c in range(6)
        ]
        hard_text = [teacher.matcher.score(batch.hard_text.select([i]), batch.visual.select([i])).item() for i in range(6)]
    cosines = (vectors.captions @ vectors.images.T).tolist()
    hard_cosines = (vectors.images * vectors.hard_captions).sum(1).tolist()
    numbers, total = batch.image_numbers.tolist(), 0.0
    for caption_anchor in (True, False):
        for anchor in range(6):
            cosine = {n: cosines[anchor][n] if caption_anchor else cosines[n][anchor] for n in range(6)}
            odds = {n: joint[anchor][n] if caption_anchor else joint[n][anchor] for n in range(6)}
            others = [n for n in range(6) if numbers[n] != numbers[anchor]]
            chosen = [anchor, *sorted(others, key=lambda n: -cosine[n])[:candidates]]
            student, target = [cosine[n] / 0.1 for n in chosen], [odds[n] / 2.0 for n in chosen]
            if not caption_anchor and batch.hard_text_valid[anchor]:
                student.append(hard_cosines[anchor] / 0.1)
                target.append(hard_text[anchor] / 2.0)
            ours, theirs = log_softmax(student), log_softmax(target)
            total += sum(math.exp(t) * (t - o) for o, t in zip(ours, theirs, strict=True)) / 6
    assert soft_target_loss(teacher, vectors, batch, 0.1, given).item() == pytest.approx(total, rel=1e-4)


def test_the_gradient_reaches_the_student_alone(teacher, batch, make_backbone):
    student = decompose(make_backbone("oscar"))
    soft_target_loss(teacher, student(batch), batch, 0.1, Distillation(weight=1.0, temperature=1.0, candidates=2)).backward()
    assert all(parameter.grad is None for parameter in teacher.matcher.parameters())
    words = student.backbone.word_embeddings().grad
    assert words is not None and words.isfinite().all() and words.abs().sum() > 0


def test_a_hard_negative_that_the_teacher_takes_for_right_is_rejected(teacher, batch):
    with torch.no_grad():
        odds = teacher.matcher.score(batch.hard_text, batch.visual)
        limit = odds.sort().values[2:4].mean().item()
        wrong_captions, wrong_images = teacher.rejects(batch, limit)
        assert wrong_captions.tolist() == (odds < limit).tolist() and 0 < wrong_captions.sum() < 6
        assert wrong_images.tolist() == (teacher.matcher.score(batch.text, batch.hard_visual) < limit).tolist()
