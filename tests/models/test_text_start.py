"""Starting from a pre-trained text transformer, checked on a tiny BERT of random weights."""

import pytest
import torch
from tiny_bert import TEXTS, WORDS, save_bert

from vldeformer.errors import InputError
from vldeformer.inputs.collate import TextReader
from vldeformer.models.text_start import locate, start_from_text, text_vocabulary


@pytest.fixture
def backbone():
    """``backbone(kind)``: one of the BERT's sizes and words."""
    from tiny_settings import backbone as settings

    from vldeformer.models.weights import build_backbone

    def make(kind, words=None, **changes):
        return build_backbone(settings(kind, **changes), words or len(WORDS), 9).eval()

    return make


def test_the_vocabulary_comes_along(bert):
    words = text_vocabulary(str(bert[0]))
    assert len(words) == len(WORDS)
    assert words.encode(["A red boxes of ÉGGS"], 20)[0] == [
        WORDS.index(word) for word in "[CLS] a red box ##es of [UNK] [SEP]".split()
    ]


def test_oscar_reads_text_exactly_as_the_bert_does(bert, backbone):
    folder, reference = bert
    text = TextReader(text_vocabulary(str(folder)), 24).read(TEXTS)
    started = backbone("oscar")
    with torch.no_grad():
        expected = reference(input_ids=text.ids, attention_mask=text.mask.long()).last_hidden_state
        before = started.encode(started.text_sequence(text)).states
        start_from_text(started, str(folder))
        after = started.encode(started.text_sequence(text)).states
    assert not torch.allclose(before[text.mask], expected[text.mask], atol=1e-2)
    assert torch.allclose(after[text.mask], expected[text.mask], atol=1e-5)


def test_vilt_takes_words_and_every_layer(bert, backbone):
    folder, reference = bert
    started = backbone("vilt")
    text = TextReader(text_vocabulary(str(folder)), 24).read(TEXTS)
    start_from_text(started, str(folder))
    with torch.no_grad():
        words = started.text_sequence(text).states - started.vilt.embeddings.token_type_embeddings.weight[0]
        assert torch.allclose(words, reference.embeddings(input_ids=text.ids), atol=1e-6)
    names = {
        "attention.attention.query": "attention.self.query", "attention.attention.key": "attention.self.key",
        "attention.attention.value": "attention.self.value", "attention.output.dense": "attention.output.dense",
        "intermediate.dense": "intermediate.dense", "output.dense": "output.dense",
        "layernorm_after": "attention.output.LayerNorm",
    }  # fmt: skip
    norms = [reference.embeddings.LayerNorm, *(layer.output.LayerNorm for layer in reference.encoder.layer)]
    for number, layer in enumerate(started.vilt.encoder.layer):
        source = reference.encoder.layer[number]
        for own, other in names.items():
            for what in ("weight", "bias"):
                copied = getattr(layer.get_submodule(own), what)
                assert torch.equal(copied, getattr(source.get_submodule(other), what))
        assert torch.equal(layer.layernorm_before.weight, norms[number].weight)
    assert torch.equal(started.vilt.layernorm.bias, norms[-1].bias)


@pytest.mark.parametrize("kind", ["oscar", "vilt"])
@pytest.mark.parametrize("change", [{"layers": 3}, {"heads": 4}, {"intermediate": 128}, {"hidden": 16}, {"words": 50}])
def test_other_sizes_are_refused(bert, backbone, kind, change):
    with pytest.raises(InputError, match=r"settings and vocabulary say"):
        start_from_text(backbone(kind, **change), str(bert[0]))


@pytest.mark.parametrize(("layers", "taken"), [(1, [0]), (2, [0, 4]), (3, [0, 2, 4]), (4, [0, 1, 3, 4]), (5, [0, 1, 2, 3, 4])])
def test_fewer_layers_are_spread_evenly(tmp_path, backbone, layers, taken):
    reference = save_bert(tmp_path, num_hidden_layers=5)
    started = backbone("oscar", layers=layers)
    start_from_text(started, str(tmp_path))
    for number, layer in zip(taken, started.bert.encoder.layer, strict=True):
        expected = reference.encoder.layer[number].state_dict()
        assert all(torch.equal(tensor, expected[name]) for name, tensor in layer.state_dict().items())


def test_another_activation_is_refused(tmp_path, backbone):
    save_bert(tmp_path, hidden_act="relu")
    with pytest.raises(InputError, match="relu"):
        start_from_text(backbone("oscar"), str(tmp_path))


def test_a_bert_that_lacks_layers_is_refused(tmp_path, backbone):
    save_bert(tmp_path, num_hidden_layers=1)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace('"num_hidden_layers": 1', '"num_hidden_layers": 2'))
    with pytest.raises(InputError, match=r"16 tensors of a BERT are missing, first 'encoder\.layer\.1"):
        start_from_text(backbone("oscar"), str(tmp_path))


def test_nothing_there(tmp_path, backbone):
    with pytest.raises(InputError, match="no BERT there"):
        start_from_text(backbone("oscar"), str(tmp_path))
    with pytest.raises(InputError, match="no tokenizer there"):
        text_vocabulary(str(tmp_path))


def test_a_folder_inside_a_python_package(tmp_path, monkeypatch):
    (tmp_path / "some_words").mkdir()
    (tmp_path / "some_words" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert locate("package:some_words/model") == str(tmp_path / "some_words" / "model")
    assert locate("here/there") == "here/there"
    with pytest.raises(InputError, match="'no_such_words' is not installed"):
        locate("package:no_such_words/model")
