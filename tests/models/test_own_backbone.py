"""The backbone of docs/bring-your-own-backbone.md, added as the page says, goes through everything that the others do."""

import json
import re
import sys
import types
from pathlib import Path
from typing import Annotated

import pytest
import torch
from pydantic import Field, TypeAdapter
from tiny_settings import BACKBONES, SECTIONS

from vldeformer.errors import InputError
from vldeformer.inputs.batch import TextInput
from vldeformer.models import weights
from vldeformer.models.any_settings import AnyBackbone, AnyBackboneSettings
from vldeformer.models.dual import DualEncoder, decompose
from vldeformer.models.joint import JointMatcher
from vldeformer.retrieval.reader import Lengths, open_encoder, open_reader
from vldeformer.runtime import this_machine
from vldeformer.section import tags_of
from vldeformer.steps.pretrain import pretrain
from vldeformer.steps.train import train

PAGE = Path(__file__).parents[2] / "docs" / "bring-your-own-backbone.md"
TEXTS = ["a red ring", "two blue stars left of a small green box"]
VALUES = {"kind": "plain"} | {name: value for name, value in BACKBONES["vilt"].items() if name != "text_model"}


@pytest.fixture
def plain(monkeypatch):
    """The page's two modules, and its two rows; the class of the backbone."""
    settings_code, code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    settings_module = types.ModuleType("vldeformer.models.plain_settings")
    exec(compile(settings_code, str(PAGE), "exec"), settings_module.__dict__)
    monkeypatch.setitem(sys.modules, settings_module.__name__, settings_module)
    names = {}
    exec(compile(code, str(PAGE), "exec"), names)
    monkeypatch.setitem(weights.BACKBONES, "plain", names["PlainBackbone"])
    union = AnyBackbone | settings_module.PlainSettings
    monkeypatch.setattr("vldeformer.steps.settings_file.AnyBackboneSettings", Annotated[union, Field(discriminator="kind")])
    field = weights.ModelDescription.model_fields["backbone"]
    monkeypatch.setattr(field, "annotation", union)
    weights.ModelDescription.model_rebuild(force=True)
    yield names["PlainBackbone"]
    monkeypatch.undo()
    weights.ModelDescription.model_rebuild(force=True)


def plain_settings(**changes):
    return sys.modules["vldeformer.models.plain_settings"].PlainSettings(**VALUES | changes)


def write_plain(tmp_path, **sections_of_file):
    """A settings file as ``write_settings`` makes, which has no kinds of its own."""
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(SECTIONS | sections_of_file))
    return path


def test_both_tables_have_the_same_kinds():
    assert weights.BACKBONES.keys() == tags_of(weights.ModelDescription.model_fields["backbone"]).keys()


def test_an_unknown_kind_is_refused_with_those_that_are_known():
    with pytest.raises(ValueError, match="'oscar', 'visualbert', 'vilt'"):
        TypeAdapter(AnyBackboneSettings).validate_python(BACKBONES["vilt"] | {"kind": "plain"})


def test_it_is_decomposed_like_the_others(plain, words, tiny, manifest):
    settings = plain_settings()
    made = weights.build_backbone(settings, len(words), 3).eval()
    read = open_reader(settings, words, tiny.pixels, Lengths.of(settings, "mean"), this_machine())
    text, image = read.text.read(TEXTS), read.visual.read([image.id for image in manifest.images[:2]])
    encoder, matcher, partly = decompose(made).eval(), JointMatcher(made).eval(), JointMatcher(made, apart=1).eval()
    partly.classifier.load_state_dict(matcher.classifier.state_dict())
    longer = torch.cat([text.ids, torch.full((2, 4), 7)], 1), torch.cat([text.mask, torch.zeros(2, 4, dtype=torch.bool)], 1)
    with torch.no_grad():
        assert torch.allclose(encoder.encode_text(text), encoder.encode_text(TextInput(*longer)), atol=1e-6)
        assert torch.allclose(encoder.encode_text(text)[:1], encoder.encode_text(read.text.read(TEXTS[:1])), atol=1e-6)
        assert encoder.encode_visual(image).shape == (2, 32) and matcher.score(text, image).shape == (2,)
        joined = made.text_sequence(text).followed_by(made.visual_sequence(image, after=text))
        parts = made.encode(made.encode(joined, last=1), first=1)
        assert torch.allclose(parts.states, made.encode(joined).states, atol=1e-6)
        assert not torch.allclose(matcher.score(text, image), partly.score(text, image), atol=1e-4)


def test_it_is_trained_saved_and_loaded(plain, tiny, tmp_path, manifest):
    pretraining = SECTIONS["pretrain"] | {"steps": 1, "warmup_steps": 0}
    own = write_plain(tmp_path, backbone=VALUES, pretrain=pretraining, train=SECTIONS["train"] | {"start": "pretrained"})
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
    encoder, reader = open_encoder(tmp_path / "train" / "model", tiny.pixels, this_machine())
    with torch.no_grad():
        assert torch.isfinite(encoder.encode_visual(reader.visual.read([manifest.images[0].id]))).all()


def test_fewer_positions_than_the_longest_caption_needs_are_refused(plain, tiny, tmp_path):
    own = write_plain(tmp_path, backbone=VALUES | {"positions": 8})
    with pytest.raises(InputError, match=r"backbone\.positions is 8, but the longest row of words has 24"):
        train(settings=own, manifest=tiny.manifest, features=tiny.pixels, tokenizer=tiny.tokenizer, out=tmp_path / "out")
