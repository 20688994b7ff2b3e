"""The backbone of docs/bring-your-own-backbone.md, added as the page says, goes through everything that the others do."""

import re
from pathlib import Path

import pytest
import torch
from tiny_settings import BACKBONE

from vldeformer.errors import InputError
from vldeformer.inputs.batch import TextInput
from vldeformer.models import settings as settings_module
from vldeformer.models import weights
from vldeformer.models.dual import DualEncoder, decompose
from vldeformer.models.joint import JointMatcher
from vldeformer.models.settings import BackboneSettings
from vldeformer.retrieval.open_inputs import open_encoder, open_readers
from vldeformer.steps.pretrain import pretrain
from vldeformer.steps.train import train

PAGE = Path(__file__).parents[2] / "docs" / "bring-your-own-backbone.md"
TEXTS = ["a red ring", "two blue stars left of a small green box"]


@pytest.fixture
def plain(monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names = {}
    exec(compile(code, str(PAGE), "exec"), names)
    monkeypatch.setitem(weights.BACKBONES, "plain", names["PlainBackbone"])
    monkeypatch.setitem(settings_module.READS, "plain", "pixels")
    return names["PlainBackbone"]


def test_both_tables_know_the_same_kinds():
    assert weights.BACKBONES.keys() == settings_module.READS.keys()


def test_an_unknown_kind_is_refused_with_those_that_are_known():
    with pytest.raises(ValueError, match="one of 'oscar', 'visualbert', 'vilt'"):
        BackboneSettings(**BACKBONE | {"kind": "plain"})


def test_it_is_decomposed_like_the_others(plain, words, tiny, manifest):
    settings = BackboneSettings(**BACKBONE | {"kind": "plain"})
    backbone = weights.build_backbone(settings, len(words), 3).eval()
    read = open_readers(settings, words, tiny.pixels, "mean")
    text, image = read.text.read(TEXTS), read.visual.read([image.id for image in manifest.images[:2]])
    encoder, matcher, partly = decompose(backbone).eval(), JointMatcher(backbone).eval(), JointMatcher(backbone, apart=1).eval()
    partly.classifier.load_state_dict(matcher.classifier.state_dict())
    longer = torch.cat([text.ids, torch.full((2, 4), 7)], 1), torch.cat([text.mask, torch.zeros(2, 4, dtype=torch.bool)], 1)
    with torch.no_grad():
        assert torch.allclose(encoder.encode_text(text), encoder.encode_text(TextInput(*longer)), atol=1e-6)
        assert torch.allclose(encoder.encode_text(text)[:1], encoder.encode_text(read.text.read(TEXTS[:1])), atol=1e-6)
        assert encoder.encode_visual(image).shape == (2, 32) and matcher.score(text, image).shape == (2,)
        joined = backbone.text_sequence(text).followed_by(backbone.visual_sequence(image, after=text))
        parts = backbone.encode(backbone.encode(joined, last=1), first=1)
        assert torch.allclose(parts.states, backbone.encode(joined).states, atol=1e-6)
        assert not torch.allclose(matcher.score(text, image), partly.score(text, image), atol=1e-4)


def test_it_is_trained_saved_and_loaded(plain, tiny, write_settings, tmp_path, manifest):
    own = write_settings(backbone={"kind": "plain"}, pretrain={"steps": 1, "warmup_steps": 0}, train={"start": "pretrained"})
    given = {"settings": own, "manifest": tiny.manifest, "features": tiny.pixels, "tokenizer": tiny.tokenizer}
    pretrain(**given, out=tmp_path / "pretrain")
    train(**given, start=tmp_path / "pretrain" / "model", out=tmp_path / "train")
    before, after = (weights.load_model(tmp_path / name / "model")[0] for name in ("pretrain", "train"))
    assert isinstance(before, JointMatcher) and isinstance(after, DualEncoder) and isinstance(after.backbone, plain)
    moved = {
        name
        for name, tensor in after.backbone.state_dict().items()
        if not torch.equal(tensor, before.backbone.state_dict()[name])
    }
    assert {"words.weight", "patches.weight", "patch_positions"} <= moved
    encoder, readers = open_encoder(tmp_path / "train" / "model", tiny.pixels)
    with torch.no_grad():
        assert torch.isfinite(encoder.encode_visual(readers.visual.read([manifest.images[0].id]))).all()


def test_fewer_positions_than_the_longest_caption_needs_are_refused(plain, tiny, write_settings, tmp_path):
    own = write_settings(backbone={"kind": "plain", "positions": 8})
    with pytest.raises(InputError, match=r"backbone\.positions is 8, but the longest row of words has 24"):
        train(settings=own, manifest=tiny.manifest, features=tiny.pixels, tokenizer=tiny.tokenizer, out=tmp_path / "out")
