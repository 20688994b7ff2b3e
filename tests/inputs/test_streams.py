"""Training batches as pure functions of their step."""

import dataclasses
import threading

import pytest
import torch

from vldeformer.errors import InputError
from vldeformer.inputs.collate import ComposedImage
from vldeformer.inputs.drawn_negatives import ComposedNegatives
from vldeformer.inputs.streams import EpochSampler, PairStream, Prefetcher


def flat(group):
    """All tensors of a batch, in order."""
    values = [getattr(group, field.name) for field in dataclasses.fields(group)]
    parts = [part for value in values for part in (value if isinstance(value, tuple) else [value])]
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


def test_several_captions_of_an_image_are_different_ones_and_the_first_as_before(train, readers, hard):
    several, one = stream(train, readers, **hard, captions=3), stream(train, readers, **hard)
    pieces = readers("oscar", full=True).text.read
    for step in range(4):
        batch, alone = several.batch(step), one.batch(step)
        assert torch.equal(batch.text.ids, alone.text.ids) and len(batch.further_text) == 2 and alone.further_text == ()
        texts = [batch.text, *batch.further_text]
        for row, number in enumerate(batch.image_numbers.tolist()):
            own = [caption.text for caption in train.captions if caption.image_id == train.images[number].id]
            drawn = [tuple(text.ids[row].tolist()) for text in texts]
            assert set(drawn) <= {tuple(ids) for ids in pieces(own).ids.tolist()}
            assert len(set(drawn)) == min(3, len(own)), "all captions before one comes again"
        assert len(several.ids(step)["caption_ids"]) == 3 * len(several.ids(step)["image_ids"])
    again = stream(train, readers, **hard, captions=3).batch(3)
    assert equal(again, several.batch(3))


def test_a_composed_image_is_wrong_for_all_captions_of_its_row(train, readers):
    own, other = train.images[0].id, train.images[1].id
    last = [caption.id for caption in train.captions if caption.image_id == own][-1]
    true_of_last = ComposedNegatives(by_image={own: [ComposedImage(own, other, (), (0,), (last,))]})
    every = max(stream(train, readers).caption_counts)
    pairs = stream(train, readers, negatives=true_of_last, captions=int(every))
    for step in range(4):
        batch = pairs.batch(step)
        assert not batch.hard_visual_valid.any()


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


@pytest.mark.parametrize(("images", "batch"), [(12, 4), (13, 4), (5, 8), (7, 7)])
def test_an_epoch_sees_an_image_at_most_once_and_leaves_out_less_than_a_batch(images, batch):
    sampler = EpochSampler(images, batch, seed=1)
    assert sampler.steps_per_epoch == max(1, images // batch)
    for epoch in range(3):
        first = epoch * sampler.steps_per_epoch
        steps = range(first, first + sampler.steps_per_epoch)
        seen = [int(row) for step in steps for row in sampler.rows(step)]
        assert len(seen) == len(set(seen)) and set(seen) <= set(range(images))
        assert images - len(seen) < min(batch, images)
        assert {sampler.epoch(step) for step in steps} == {epoch}


def test_rows_depend_on_step_and_seed_alone():
    forwards = EpochSampler(20, 4, seed=1)
    ahead = [forwards.rows(step).tolist() for step in range(15)]
    backwards = EpochSampler(20, 4, seed=1)
    assert [backwards.rows(step).tolist() for step in reversed(range(15))] == ahead[::-1]
    assert ahead[:5] != ahead[5:10], "each epoch has its own order"
    assert [EpochSampler(20, 4, seed=2).rows(step).tolist() for step in range(15)] != ahead


SECONDS = 20


class Recorder:
    """A stream whose batches are their numbers; it fails at one step."""

    def __init__(self, wrong=None):
        self.wrong, self.read = wrong, {step: threading.Event() for step in range(12)}
        self.threads = set()

    def batch(self, step):
        self.threads.add(threading.current_thread())
        self.read[step].set()
        if step == self.wrong:
            raise InputError(f"step {step} cannot be read")
        return step


@pytest.mark.parametrize("kind", ["oscar", "vilt"])
def test_batches_are_those_of_the_stream_in_any_order(manifest, readers, kind):
    train, read = manifest.split("train"), readers(kind)
    texts = {caption.id: ["a ring left of a star"] for caption in train.captions}
    ids = [image.id for image in train.images]
    negatives = ComposedNegatives(texts, {ids[0]: [ComposedImage(ids[0], ids[1], (0,), (0,))]})
    stream = PairStream(train, read.text, read.visual, 8, 5, negatives=negatives)
    ahead = Prefetcher(stream)
    for step in (0, 1, 2, 5, 5, 6, 1, 0):
        found, expected = ahead.batch(step), stream.batch(step)
        pixels = kind == "vilt"
        for one, other in (
            (found.text.ids, expected.text.ids),
            (found.image_numbers, expected.image_numbers),
            (found.hard_text.ids, expected.hard_text.ids),
            (found.visual.pixels, expected.visual.pixels) if pixels else (found.visual.features, expected.visual.features),
            (found.hard_visual_valid, expected.hard_visual_valid),
        ):
            assert torch.equal(one, other)


def test_the_next_batch_is_read_before_it_is_asked_for_and_no_other():
    stream = Recorder()
    ahead = Prefetcher(stream)
    assert not any(read.is_set() for read in stream.read.values())
    assert ahead.batch(3) == 3
    assert stream.read[4].wait(SECONDS)
    assert ahead.batch(4) == 4
    assert stream.read[5].wait(SECONDS)
    assert [step for step, read in stream.read.items() if read.is_set()] == [3, 4, 5]
    assert threading.current_thread() not in stream.threads and len(stream.threads) == 1


def test_what_goes_wrong_is_raised_by_the_step_that_it_belongs_to():
    stream = Recorder(wrong=2)
    ahead = Prefetcher(stream)
    assert ahead.batch(1) == 1
    assert stream.read[2].wait(SECONDS)
    with pytest.raises(InputError, match="step 2 cannot be read"):
        ahead.batch(2)
    assert ahead.batch(3) == 3
