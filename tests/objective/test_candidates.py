"""Who meets whom, on a batch small enough to write down."""

import torch

from vldeformer.objective.candidates import gather_candidates


def test_rows_of_one_image_are_right_and_a_composed_negative_is_wrong_for_whom_it_was_made_or_for_all():
    references, hard = torch.eye(3), torch.eye(3)[[2, 1, 0]]
    valid = torch.tensor([True, False, True])
    for scope, met in (("anchor", [[1, 0], [0, 0], [0, 1]]), ("batch", [[1, 1], [1, 1], [1, 1]])):
        found = gather_candidates(references, torch.tensor([5, 2, 5]), hard, valid, scope)
        assert torch.equal(found.vectors, torch.cat([references, hard[[0, 2]]])) and found.references == 3
        assert found.right.int().tolist() == [[1, 0, 1, 0, 0], [0, 1, 0, 0, 0], [1, 0, 1, 0, 0]]
        assert found.wrong[:, :3].int().tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
        assert found.wrong[:, 3:].int().tolist() == met


def test_pairs_list_every_right_and_wrong_candidate_once():
    found = gather_candidates(torch.eye(3), torch.tensor([5, 2, 5]))
    rights, right_columns, wrongs, wrong_columns = (part.tolist() for part in found.pairs())
    assert list(zip(rights, right_columns, strict=True)) == [(0, 0), (0, 2), (1, 1), (2, 0), (2, 2)]
    assert list(zip(wrongs, wrong_columns, strict=True)) == [(0, 1), (1, 0), (1, 2), (2, 1)]
