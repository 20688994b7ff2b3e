"""Mined captions and images are drawn from the tables and from nothing else; composed ones are wrong for their own pair."""

import numpy as np
import pytest
import torch

from vldeformer.inputs.collate import ComposedImage
from vldeformer.inputs.drawn_negatives import ComposedNegatives, MinedNegatives
from vldeformer.seeding import named_generator


@pytest.fixture(scope="module")
def train(manifest):
    return manifest.split("train")


@pytest.fixture
def mined(train):
    found = MinedNegatives(train, 5)
    index = train.caption_image_index
    found.captions_of_images = np.array([np.flatnonzero(index != row)[[3, 7]] for row in range(len(train.images))])
    found.images_of_captions = np.array([[(row + 1) % 16, (row + 5) % 16, -1] for row in index])
    return found


def test_each_pair_gets_a_caption_and_an_image_of_its_own_table(train, mined, readers):
    read, chosen = readers("oscar"), [train.captions[row] for row in (0, 7, 31)]
    for turn in range(6):
        text, valid = mined.texts(chosen, turn, read.text)
        assert valid.all()
        for row, caption in enumerate(chosen):
            table = mined.captions_of_images[[image.id for image in train.images].index(caption.image_id)]
            allowed = read.text.read([train.captions[number].text for number in table])
            shown = text.ids[row][text.mask[row]].tolist()
            assert shown in [ids[mask].tolist() for ids, mask in zip(allowed.ids, allowed.mask, strict=True)]
        visual, valid = mined.images([(caption,) for caption in chosen], turn, read.visual, named_generator(0, "x"))
        assert valid.all()
        for row, caption in enumerate(chosen):
            table = mined.images_of_captions[train.captions.index(caption)][:2]
            own = visual.features[row][visual.region_mask[row]]
            alike = [read.visual.read([train.images[number].id]) for number in table]
            assert any(torch.equal(own, other.features[0][other.region_mask[0]]) for other in alike)


def test_draws_change_with_the_epoch_and_not_with_the_rest_of_the_batch(train, mined, readers):
    text = readers("oscar").text
    alone = [mined.texts([train.captions[7]], turn, text)[0].ids[0].tolist() for turn in range(12)]
    assert len({str(ids) for ids in alone}) == 2
    for turn, ids in enumerate(alone):
        together, _ = mined.texts([train.captions[0], train.captions[7]], turn, text)
        assert together.ids[1][together.mask[1]].tolist() == ids


def test_a_row_without_a_candidate_stands_for_its_own_and_is_marked(train, mined, readers):
    mined.captions_of_images[0] = -1
    mined.images_of_captions[0] = -1
    read = readers("oscar")
    text, valid = mined.texts([train.captions[0], train.captions[9]], 0, read.text)
    assert valid.tolist() == [False, True]
    assert text.ids[0][text.mask[0]].tolist() == read.text.read([train.captions[0].text]).ids[0].tolist()
    visual, valid = mined.images([(train.captions[0],), (train.captions[9],)], 0, read.visual, named_generator(0, "x"))
    assert valid.tolist() == [False, True] and len(visual) == 2


def test_without_tables_there_are_no_negatives(train, readers):
    read, none = readers("oscar"), MinedNegatives(train, 5)
    assert none.texts([train.captions[0]], 0, read.text) is None
    assert none.images([(train.captions[0],)], 0, read.visual, named_generator(0, "x")) is None


def test_composed_negatives_that_are_not_read_are_none(train, readers):
    read = readers("oscar")
    assert ComposedNegatives().texts(train.captions[:2], 0, read.text) is None
    assert ComposedNegatives().images([train.captions[:1], train.captions[1:2]], 0, read.visual, named_generator(0, "x")) is None
    texts, valid = ComposedNegatives({train.captions[1].id: ["one", "two"]}).texts(train.captions[:2], 3, read.text)
    assert valid.tolist() == [False, True]
    assert texts.ids[1][texts.mask[1]].tolist() == read.text.read(["two"]).ids[0].tolist()


def test_a_composed_image_is_never_a_negative_of_a_caption_that_is_true_of_it(train, readers):
    own, other = train.captions[0].image_id, train.captions[-1].image_id
    first, second = train.captions[0], train.captions[1]
    assert second.image_id == own != other
    images = [ComposedImage(own, other, (0,), (row,), true_of) for row, true_of in enumerate([(first.id,), (), (first.id,)])]
    composed, reader, none = ComposedNegatives(None, {own: images}), readers("oscar").visual, named_generator(0, "x")
    for turn in range(6):
        read, valid = composed.images([(first,), (second,)], turn, reader, none)
        expected = reader.read_composed([images[1], images[turn % 3]])
        assert valid.tolist() == [True, True] and torch.equal(read.features, expected.features)
    only = ComposedNegatives(None, {own: [images[0]]})
    assert only.images([(first,), (second,)], 0, reader, none)[1].tolist() == [False, True]
