"""Layers over the tokens that are there give what layers over padded rows give, in every use of a model."""

import copy
import dataclasses

import numpy as np
import pytest
import torch

from vldeformer.data.records import Regions
from vldeformer.inputs.batch import TextInput
from vldeformer.models import packed
from vldeformer.models.dual import decompose
from vldeformer.models.joint import JointMatcher
from vldeformer.models.packed import buckets_by_tokens
from vldeformer.retrieval.item_vectors import embed
from vldeformer.retrieval.pair_scores import score_all
from vldeformer.retrieval.ranking import exact_ranks
from vldeformer.training.optim import build_optimizer

TEXTS = ["a red ring", "", "a star left of a blue box and " * 20, "🦊 🧊", "a box", "two blue stars left of a ring", "a " * 22]


@pytest.fixture(autouse=True)
def counted(monkeypatch):
    """Few rows are packed at once; the list holds the numbers of rows that packed layers were given."""
    calls, plain = [], packed.encode
    monkeypatch.setattr(packed, "TOKENS_AT_ONCE", 40)
    monkeypatch.setattr(packed, "encode", lambda *given: calls.append(len(given[1].mask)) or plain(*given))
    return calls


@pytest.fixture
def items(readers, region_store):
    """``items("oscar", full)``: captions and images, of which one has no region, one a single one and one too many."""

    def read(kind, full=False):
        reader = readers(kind, full)
        images = [region_store[name] for name in region_store.ids[:9]]
        none = Regions(images[0].features[:0], images[0].boxes[:0], ("ring",))
        one = Regions(images[1].features[:1], images[1].boxes[:1], ())
        many = Regions(np.repeat(images[2].features, 9, 0), np.repeat(images[2].boxes, 9, 0), images[2].tags * 9)
        return reader.text.read(TEXTS), reader.visual.collate([*images, none, one, many])

    return read


def packed_and_padded(read, *given):
    """The same call in inference and, by what training uses, with gradients."""
    with torch.inference_mode():
        found = read(*given)
    with torch.enable_grad():
        return found, read(*given).detach()


@pytest.mark.parametrize("pooling", ["mean", "mean_all", "mean_max", "cls", "sep"])
@pytest.mark.parametrize("kind", ["oscar", "visualbert"])
@pytest.mark.parametrize("tokens", [40, 10**6])
def test_vectors_are_those_of_padded_rows(items, make_backbone, counted, monkeypatch, kind, pooling, tokens):
    monkeypatch.setattr(packed, "TOKENS_AT_ONCE", tokens)
    encoder = decompose(make_backbone(kind), pooling).eval()
    text, visual = items(kind, full=pooling == "mean_all")
    for read, given in ((encoder.encode_text, text), (encoder.encode_visual, visual)):
        found, expected = packed_and_padded(read, given)
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
        assert (found[0] - found[1:]).abs().amax(1).min() > 1e-3, "an exchange would be seen"
        rows = torch.tensor([4])
        torch.testing.assert_close(packed_and_padded(read, given.select(rows))[0], expected[rows], atol=1e-6, rtol=0)
    assert counted and (max(counted) == len(visual)) == (pooling == "mean_all" or tokens > 1000), "read in parts"


def test_a_caption_without_any_token_is_zero(make_backbone, counted):
    encoder = decompose(make_backbone("oscar"), "mean").eval()
    mask = torch.tensor([[True] * 3, [False] * 3, [True, True, False]])
    found, expected = packed_and_padded(encoder.encode_text, TextInput(torch.full((3, 3), 7), mask))
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    assert found[1].abs().max() == 0 and counted


def test_ranks_are_the_same(manifest, readers, make_backbone, counted, monkeypatch):
    read, encoder = readers("oscar"), decompose(make_backbone("oscar"), "mean").eval()
    part = manifest.split("test")
    found = exact_ranks(embed(encoder, part, read))
    used = len(counted)
    monkeypatch.setattr(packed, "packs", lambda module: False)
    expected = exact_ranks(embed(encoder, part, read))
    assert np.array_equal(found.i2t, expected.i2t) and np.array_equal(found.t2i, expected.t2i)
    assert used == len(counted) > 0


@pytest.mark.parametrize("apart", [0, 1])
@pytest.mark.parametrize("kind", ["oscar", "visualbert"])
def test_joint_scores_are_those_of_padded_pairs(manifest, readers, make_backbone, counted, monkeypatch, kind, apart):
    part, read = manifest.split("test").first(3), readers(kind)
    matcher = JointMatcher(make_backbone(kind), apart=apart).eval()
    torch.nn.init.normal_(matcher.classifier.weight, std=1.0)
    found = score_all(matcher, part, read).scores
    assert counted
    monkeypatch.setattr(packed, "packs", lambda module: False)
    expected = score_all(matcher, part, read).scores
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert np.ptp(found) > 1e-2


def test_bfloat16_is_as_near_as_that_of_padded_rows(items, make_backbone, counted):
    encoder = decompose(make_backbone("oscar"), "mean").eval()
    for read, given in zip((encoder.encode_text, encoder.encode_visual), items("oscar"), strict=True):
        with torch.inference_mode():
            exact = read(given)
            with torch.autocast("cpu", torch.bfloat16):
                found = read(given)
        with torch.autocast("cpu", torch.bfloat16):
            padded = read(given).detach().float()
        assert 0 < (found - exact).abs().max() < 1.5 * (padded - exact).abs().max() + 1e-3
    assert counted


def test_changed_weights_are_seen(items, make_backbone):
    encoder = decompose(copy.deepcopy(make_backbone("oscar")), "mean").eval()
    text, visual = items("oscar")
    optimizer = build_optimizer(encoder, 0.01)
    optimizer.param_groups[0]["lr"] = 0.1

    def step():
        (encoder.encode_text(text)[:3].sum() + encoder.encode_visual(visual)[:3].sum()).backward()
        optimizer.step()

    def load():
        encoder.load_state_dict({name: 0.5 * value for name, value in encoder.state_dict().items()})

    before, _ = packed_and_padded(encoder.encode_visual, visual)
    for change in (step, load, lambda: encoder.to(torch.float64).to(torch.float32)):
        change()
        for read, given in ((encoder.encode_text, text), (encoder.encode_visual, visual)):
            found, expected = packed_and_padded(read, given)
            torch.testing.assert_close(found, expected, atol=2e-6, rtol=0)
    assert (before - found).abs().max() > 1e-3
    other = copy.deepcopy(encoder)
    torch.testing.assert_close(packed_and_padded(other.encode_visual, visual)[0], found)


def test_training_and_gradients_are_left_to_padded_rows(items, make_backbone, counted):
    encoder = decompose(copy.deepcopy(make_backbone("oscar")), "mean").eval()
    text, visual = items("oscar")
    encoder.encode_visual(visual)
    with torch.no_grad():
        encoder.train().encode_text(text)
        assert not counted
        encoder.eval().encode_text(text)
        assert counted


def test_hidden_states_are_zero_unless_asked_for(items, make_backbone):
    backbone = make_backbone("oscar")
    with torch.inference_mode():
        sequence = backbone.text_sequence(items("oscar")[0])
        states = {whole: backbone.encode(dataclasses.replace(sequence, whole=whole)).states for whole in (False, True)}
    assert states[False][~sequence.mask].abs().max() == 0 and states[True][~sequence.mask].abs().min() > 0
    torch.testing.assert_close(states[False][sequence.mask], states[True][sequence.mask], atol=1e-5, rtol=0)


@pytest.mark.parametrize("tokens", [1, 7, 30, 10**6])
def test_parts_hold_about_as_many_tokens_as_asked_for(tokens):
    lengths = torch.randint(0, 12, (50,), generator=torch.Generator().manual_seed(1))
    parts = buckets_by_tokens(lengths, tokens)
    rows = [row for part in parts for row in part.tolist()]
    assert rows == sorted(range(50), key=lambda row: (lengths[row], row))
    sizes = [sum(int(lengths[row]) for row in part) for part in parts]
    assert max(sizes) < tokens + 12 and (tokens > 1000) == (len(parts) == 1)
    assert [part.tolist() for part in buckets_by_tokens(torch.zeros(3, dtype=torch.int64), tokens)] == [[0, 1, 2]]
