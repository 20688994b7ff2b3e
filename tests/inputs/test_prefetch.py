"""What is read ahead is what the stream itself gives, whatever is asked for and in whatever order."""

import threading

import pytest
import torch

from vldeformer.errors import InputError
from vldeformer.inputs.collate import ComposedImage
from vldeformer.inputs.drawn_negatives import ComposedNegatives
from vldeformer.inputs.prefetch import Prefetcher
from vldeformer.inputs.streams import PairStream

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
