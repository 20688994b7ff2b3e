"""Reading rows of like length together changes no vector, no logit and no gradient."""

import itertools

import pytest
import torch

from vldeformer.inputs.streams import PairStream
from vldeformer.models import packed
from vldeformer.models.dual import decompose
from vldeformer.models.joint import JointMatcher
from vldeformer.models.packed import buckets_by_length
from vldeformer.models.pretraining import PretrainingModel

KINDS = ["oscar", "visualbert", "vilt"]


@pytest.fixture
def pairs(manifest, readers):
    def made(kind):
        read = readers(kind)
        return PairStream(manifest.split("train"), read.text, read.visual, 16, 3).batch(0)

    return made


def with_buckets(monkeypatch, most, run, model):
    """Outputs of ``run`` and gradients of the sum of their sines, with at most ``most`` buckets."""
    monkeypatch.setattr(packed, "MOST_BUCKETS", most)
    monkeypatch.setattr(packed, "FEWEST_ROWS", 3)
    model.zero_grad()
    outputs = run(model)
    sum(output.sin().sum() for output in outputs).backward()
    return outputs, {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def assert_same(one, other):
    for a, b in zip(one[0], other[0], strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
    assert one[1].keys() == other[1].keys()
    for name, gradient in one[1].items():
        torch.testing.assert_close(gradient, other[1][name], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_and_match_logits_are_those_of_one_padded_pass(kind, pairs, make_backbone, monkeypatch):
    batch = pairs(kind)
    for model, run in (
        (decompose(make_backbone(kind)).eval(), lambda m: (m.encode_text(batch.text), m.encode_visual(batch.visual))),
        (JointMatcher(make_backbone(kind)).eval(), lambda m: (m.logits(batch.text, batch.visual),)),
        (JointMatcher(make_backbone(kind), apart=1).eval(), lambda m: (m.logits(batch.text, batch.visual),)),
    ):
        assert_same(with_buckets(monkeypatch, 1, run, model), with_buckets(monkeypatch, 4, run, model))


@pytest.mark.parametrize("kind", KINDS)
def test_masked_words_come_back_in_the_order_of_the_batch(kind, pairs, make_backbone, monkeypatch):
    batch, model = pairs(kind), PretrainingModel(JointMatcher(make_backbone(kind))).eval()
    predict = batch.text.mask & (torch.rand(batch.text.mask.shape, generator=torch.Generator().manual_seed(1)) < 0.5)
    assert predict.sum() > 10

    def run(m):
        return m(batch.text, batch.visual, predict, None)[:2]

    assert_same(with_buckets(monkeypatch, 1, run, model), with_buckets(monkeypatch, 4, run, model))


def test_pooling_over_the_padding_reads_the_batch_as_it_is(manifest, readers, make_backbone, monkeypatch):
    read = readers("oscar", full=True)
    batch = PairStream(manifest.split("train"), read.text, read.visual, 16, 3).batch(0)
    model = decompose(make_backbone("oscar"), "mean_all").eval()

    def run(m):
        return m.encode_text(batch.text), m.encode_visual(batch.visual)

    assert_same(with_buckets(monkeypatch, 1, run, model), with_buckets(monkeypatch, 4, run, model))


@pytest.mark.parametrize("rows", [1, 15, 31, 32, 128])
def test_every_row_is_in_one_bucket_and_buckets_go_by_length(rows):
    lengths = torch.randint(1, 30, (rows,), generator=torch.Generator().manual_seed(rows))
    found = buckets_by_length(lengths)
    assert len(found) == max(1, min(4, rows // 16))
    assert sorted(torch.cat(found).tolist()) == list(range(rows))
    for shorter, longer in itertools.pairwise(found):
        assert lengths[shorter].max() <= lengths[longer].min()


def test_rows_of_one_length_are_read_at_once():
    assert [rows.tolist() for rows in buckets_by_length(torch.full((128,), 37))] == [list(range(128))]


def test_a_trimmed_batch_keeps_what_is_there(pairs):
    for kind in KINDS:
        batch = pairs(kind)
        for items in (batch.text, batch.visual):
            rows = items.lengths.argsort()[:4]
            few = items.select(rows).trimmed()
            assert few.lengths.tolist() == items.lengths[rows].tolist()
    text = pairs("oscar").text
    short = text.select(text.lengths.argsort()[:2]).trimmed()
    assert short.ids.shape[1] == int(short.lengths.max())
    assert short.ids.shape[1] < text.ids.shape[1]
