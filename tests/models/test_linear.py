"""The linear control: means of regions and of words, and a BERT of sentences that stays as it is."""

import numpy as np
import pytest
import torch
from tiny_bert import TEXTS
from tiny_settings import backbone as settings

from vldeformer.errors import InputError
from vldeformer.inputs.batch import RegionInput
from vldeformer.inputs.collate import TextReader
from vldeformer.models.dual import decompose
from vldeformer.models.text_start import start_from_text, text_vocabulary
from vldeformer.models.weights import ModelDescription, build_backbone, build_model, load_model, save_model

SIZES = {"text_layers": 2, "text_hidden": 32, "text_heads": 2, "text_intermediate": 64}


@pytest.fixture
def regions():
    torch.manual_seed(1)
    mask = torch.tensor([[True, True, False], [True, True, True]])
    tags = torch.zeros(2, 2, dtype=torch.long)
    return RegionInput(tags, tags.bool(), torch.randn(2, 3, 9), mask)


def unit(vector):
    vector = np.tanh(vector)
    return vector / np.linalg.norm(vector)


def test_an_image_is_the_linear_map_of_its_mean_region(regions):
    made = build_backbone(settings("linear"), 13, 9)
    with torch.no_grad():
        found = decompose(made).eval().encode_visual(regions).numpy()
        weight, bias = made.region_map.weight.numpy(), made.region_map.bias.numpy()
    for row, count in enumerate((2, 3)):
        mean = sum(regions.features[row, place].numpy() for place in range(count)) / count
        assert found[row] == pytest.approx(unit(weight @ mean + bias), abs=1e-6)


def test_numbers_of_regions_are_dropped_in_training_alone(regions):
    plain, dropping = (build_backbone(settings("linear", dropout=0, feature_dropout=rate), 13, 9) for rate in (0, 0.5))
    dropping.load_state_dict(plain.state_dict())
    expected = plain.visual_sequence(regions).states
    assert torch.equal(dropping.eval().visual_sequence(regions).states, expected)
    found = torch.stack([dropping.train().visual_sequence(regions).states for _ in range(4000)])
    assert not torch.equal(found[0], expected) and torch.allclose(found.mean(0), expected, atol=0.05)


def test_a_caption_is_a_bag_of_its_words(words):
    made = build_backbone(settings("linear"), len(words), 9)
    text = TextReader(words, 24).read(["a red ring", "ring red a", "two blue stars"])
    with torch.no_grad():
        found = decompose(made).eval().encode_text(text).numpy()
        table = made.words.weight.numpy()
    own = text.ids[0][text.mask[0]].tolist()
    assert found[0] == pytest.approx(unit(sum(table[word] for word in own) / len(own)), abs=1e-6)
    assert found[1] == pytest.approx(found[0], abs=1e-6) and abs(found[2] - found[0]).max() > 0.1


def test_a_bert_of_sentences_is_read_as_it_is_and_never_trained(bert, regions):
    folder, reference = bert
    made = build_backbone(settings("linear", text_model=str(folder), **SIZES), 13, 9)
    start_from_text(made, str(folder))
    text = TextReader(text_vocabulary(str(folder)), 24).read(TEXTS)
    with torch.no_grad():
        states = reference(input_ids=text.ids, attention_mask=text.mask.long()).last_hidden_state
        weights = text.mask[:, :, None]
        mean = (states * weights).sum(1) / weights.sum(1)
        found = decompose(made).eval().encode_text(text)
        expected = torch.nn.functional.normalize(torch.tanh(made.text_map(mean)), dim=-1)
    assert torch.allclose(found, expected, atol=1e-5)
    before = {name: tensor.clone() for name, tensor in made.bert.state_dict().items()}
    encoder = decompose(made).train()
    optimizer = torch.optim.SGD(encoder.parameters(), lr=1.0)
    (encoder.encode_text(text) * encoder.encode_visual(regions)).sum().backward()
    optimizer.step()
    assert not made.bert.training and all(parameter.grad is None for parameter in made.bert.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in made.bert.state_dict().items())
    assert made.text_map.weight.grad.abs().max() > 0 and made.region_map.weight.grad.abs().max() > 0


def test_captions_that_are_kept_are_not_read_again(bert):
    folder, _ = bert
    made = build_backbone(settings("linear", text_model=str(folder), **SIZES), 13, 9)
    start_from_text(made, str(folder))
    encoder, reader = decompose(made).eval(), TextReader(text_vocabulary(str(folder)), 24)
    with torch.no_grad():
        expected = encoder.encode_text(reader.read(TEXTS))
        made.keep_sentences([reader.read([text]) for text in TEXTS])
        reads = []
        made.bert.register_forward_pre_hook(lambda *_: reads.append(1))
        found = encoder.encode_text(reader.read(TEXTS[::-1]))
        assert reads == [] and torch.allclose(found.flip(0), expected, atol=1e-6)
        encoder.encode_text(reader.read([*TEXTS, "unseen words"]))
        assert len(reads) >= 1, "a batch with another caption is read"


def test_it_is_saved_with_its_bert_and_loaded_without_the_package(bert, tmp_path):
    folder, _ = bert
    chosen = settings("linear", text_model=str(folder), **SIZES)
    description = ModelDescription(
        kind="dual", backbone=chosen, vocabulary_size=13, feature_width=9, pooling="mean", pooling_dropout=0.1
    )
    made = build_model(description)
    start_from_text(made.backbone, str(folder))
    words = text_vocabulary(str(folder))
    save_model(tmp_path / "model", made, description, words)
    loaded, _, _ = load_model(tmp_path / "model")
    text = TextReader(words, 24).read(TEXTS)
    with torch.no_grad():
        assert torch.equal(loaded.encode_text(text), made.eval().encode_text(text))


def test_a_bert_of_another_size_is_refused(bert):
    made = build_backbone(settings("linear", text_model=str(bert[0]), **SIZES | {"text_hidden": 48}), 13, 9)
    with pytest.raises(InputError, match=r"'hidden_size': 32.*settings and vocabulary say .*'hidden_size': 48"):
        start_from_text(made, str(bert[0]))


def test_it_scores_no_pairs():
    with pytest.raises(InputError, match=r"kind joint needs a transformer, got backbone\.kind linear"):
        build_model(
            ModelDescription(
                kind="joint", backbone=settings("linear"), vocabulary_size=13, feature_width=9, pooling="mean", pooling_dropout=0
            )
        )
