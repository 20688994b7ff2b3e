"""Every image once an epoch, and each step's images without knowing the steps before."""

import pytest

from vldeformer.inputs.sampler import EpochSampler


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
