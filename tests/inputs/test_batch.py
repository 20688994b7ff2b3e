"""Groups of tensors move and are selected together."""

import torch

from vldeformer.inputs.batch import PairBatch, PixelInput, RegionInput, TextInput, stacked


def test_select_takes_the_same_rows_of_every_tensor():
    group = RegionInput(*(torch.arange(3 * 2).reshape(3, 2) + 10 * number for number in range(4)))
    chosen = group.select(torch.tensor([2, 0, 2]))
    assert isinstance(chosen, RegionInput) and len(chosen) == 3
    for before, after in zip(vars(group).values(), vars(chosen).values(), strict=True):
        assert after.tolist() == [before[2].tolist(), before[0].tolist(), before[2].tolist()]


def test_a_selection_is_a_copy():
    text = TextInput(torch.zeros(2, 3, dtype=torch.int64), torch.ones(2, 3, dtype=torch.bool))
    chosen = text.select(torch.tensor([0, 1]))
    chosen.ids[:] = 7
    assert text.ids.sum() == 0


def test_a_batch_moves_what_it_has():
    text = TextInput(torch.zeros(2, 3, dtype=torch.int64), torch.ones(2, 3, dtype=torch.bool))
    batch = PairBatch(text, PixelInput(torch.zeros(2, 3, 4, 4)), torch.arange(2), text, torch.tensor([True, False]))
    moved = batch.to(torch.device("meta"))
    assert {moved.text.ids.device.type, moved.visual.pixels.device.type, moved.hard_text.mask.device.type} == {"meta"}
    assert moved.image_numbers.device.type == moved.hard_text_valid.device.type == "meta"
    assert moved.hard_visual is None and moved.hard_visual_valid is None


def test_groups_are_stacked_with_the_shorter_ones_padded():
    def regions(rows, tags, boxes):
        masks = torch.ones(rows, tags, dtype=torch.bool), torch.ones(rows, boxes, dtype=torch.bool)
        return RegionInput(torch.full((rows, tags), 7), masks[0], torch.full((rows, boxes, 2), 5.0), masks[1])

    found = stacked([regions(1, 3, 2), regions(2, 1, 4)])
    assert found.tag_ids.tolist() == [[7, 7, 7], [7, 0, 0], [7, 0, 0]]
    assert found.tag_mask.sum(1).tolist() == [3, 1, 1] and found.region_mask.sum(1).tolist() == [2, 4, 4]
    assert found.features.shape == (3, 4, 2) and found.features[0, :, 0].tolist() == [5, 5, 0, 0]
    assert found.features[1:].eq(5).all()
