"""Training batches as pure functions of their step."""

import dataclasses

import pytest
import torch

from vldeformer.errors import InputError
from vldeformer.inputs.collate import ComposedImage
from vldeformer.inputs.drawn_negatives import ComposedNegatives
from vldeformer.inputs.streams import PairStream


def flat(group):
    """All tensors of a batch, in order."""
    parts = [getattr(group, field.name) for field in dataclasses.fields(group)]
    return [leaf for part in parts if part is not None for leaf in ([part] if isinstance(part, torch.Tensor) else flat(part))]


def equal(one, other):
    return all(torch.equal(a, b) for a, b in zip(flat(one), flat(other), strict=True))


@pytest.fixture(scope="module")
def train(manifest):
    return manifest.split("train")


@pytest.fixture(scope="module")
def hard(train):
    texts = {caption.id: [f"{caption.text} not", "a blue star"] for caption in train.captions if not caption.id.endswith("#1")}
    ids = [image.id for image in train.images]
    images = {one: [ComposedImage(one, ids[number - 1], (), (0,))] for number, one in enumerate(ids) if number % 3}
    return {"negatives": ComposedNegatives(texts, images)}


def stream(train, readers, kind="oscar", **options):
    read = readers(kind, full=True)
    return PairStream(train, read.text, read.visual, 8, 5, **options)


@pytest.mark.parametrize("kind", ["oscar", "vilt"])
def test_a_batch_depends_on_its_step_alone(train, readers, hard, kind):
    forwards, backwards = (stream(train, readers, kind, **hard) for _ in range(2))
    ahead = [forwards.batch(step) for step in range(5)]
    back = [backwards.batch(step) for step in reversed(range(5))]
    assert all(equal(a, b) for a, b in zip(ahead, reversed(back), strict=True))
    assert not equal(ahead[0], ahead[2])


def test_every_image_comes_once_an_epoch_with_one_of_its_captions(train, readers):
    pairs, read = stream(train, readers), readers("oscar", full=True)
    for epoch in range(2):
        seen = []
        for step in (2 * epoch, 2 * epoch + 1):
            batch = pairs.batch(step)
            for row, number in enumerate(batch.image_numbers.tolist()):
                own = [caption.text for caption in train.captions if caption.image_id == train.images[number].id]
                assert batch.text.ids[row].tolist() in read.text.read(own).ids.tolist()
                assert torch.equal(batch.visual.features[row], read.visual.read([train.images[number].id]).features[0])
            seen += batch.image_numbers.tolist()
        assert sorted(seen) == list(range(16))
    texts = {pairs.batch(step).text.ids[0].numpy().tobytes() for step in range(40)}
    assert len(texts) > 16, "more captions than images: not always the first one"


def test_two_shares_are_together_the_whole_batch(train, readers, hard):
    whole = stream(train, readers, **hard).batch(3)
    shares = [stream(train, readers, **hard, share=(number, 2)).batch(3) for number in range(2)]
    assert [len(share.image_numbers) for share in shares] == [4, 4]
    for all_rows, even, odd in zip(flat(whole), flat(shares[0]), flat(shares[1]), strict=True):
        assert torch.equal(all_rows[0::2], even) and torch.equal(all_rows[1::2], odd)


def test_processes_need_equal_shares(train, readers):
    with pytest.raises(InputError, match="batch_images 8 does not divide among 3 processes"):
        stream(train, readers, share=(0, 3))


def test_negatives_go_with_their_captions_and_images_by_turns(train, readers, hard):
    pairs, read = stream(train, readers, **hard), readers("oscar", full=True)
    missing = 0
    for step in range(6):
        batch, turn = pairs.batch(step), step // 2
        for row, number in enumerate(batch.image_numbers.tolist()):
            image = train.images[number]
            own = {tuple(read.text.read([c.text]).ids[0].tolist()): c for c in train.captions if c.image_id == image.id}
            caption = own[tuple(batch.text.ids[row].tolist())]
            variants = hard["negatives"].by_caption.get(caption.id)
            assert bool(batch.hard_text_valid[row]) == (variants is not None)
            expected = caption.text if variants is None else variants[turn % 2]
            assert batch.hard_text.ids[row].tolist() == read.text.read([expected]).ids[0].tolist()
            missing += variants is None
            composed = hard["negatives"].by_image.get(image.id)
            assert bool(batch.hard_visual_valid[row]) == (composed is not None)
            if composed is not None:
                assert torch.equal(batch.hard_visual.features[row], read.visual.read_composed(composed).features[0])
    assert missing


def test_without_negatives_there_are_none(train, readers):
    batch = stream(train, readers).batch(0)
    assert batch.hard_text is batch.hard_text_valid is batch.hard_visual is batch.hard_visual_valid is None


def test_an_image_without_regions_needs_no_negative(tmp_path, train, readers, words, region_store):
    from vldeformer.data.records import Regions
    from vldeformer.data.regions import RegionStore, write_regions
    from vldeformer.inputs.collate import RegionReader

    nothing = Regions(region_store.features[:0], region_store.boxes[:0], ())
    write_regions(tmp_path / "store", [(image.id, nothing) for image in train.images], region_store.feature_width)
    visual = RegionReader(RegionStore(tmp_path / "store"), words, 12, 6)
    pairs = PairStream(train, readers("oscar").text, visual, 8, 5, negatives=ComposedNegatives(by_image={}))
    batch = pairs.batch(0)
    assert not batch.hard_visual_valid.any() and not batch.visual.region_mask.any()


def test_pixels_are_augmented(train, readers):
    pairs, read = stream(train, readers, "vilt"), readers("vilt")
    batch = pairs.batch(0)
    plain = read.visual.read([train.images[number].id for number in batch.image_numbers.tolist()])
    assert not torch.equal(batch.visual.pixels, plain.pixels)
