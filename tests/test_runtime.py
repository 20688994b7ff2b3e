"""Device, threads and precision are settings."""

import pytest
import torch

from vldeformer.errors import InputError
from vldeformer.runtime import RuntimeSettings, arithmetic, prepare_torch


def test_threads_and_determinism_are_set(runtime):
    before = torch.get_num_threads()
    try:
        assert prepare_torch(runtime.model_copy(update={"threads": 2})) == torch.device("cpu")
        assert torch.get_num_threads() == 2 and torch.are_deterministic_algorithms_enabled()
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_named(runtime):
    with pytest.raises(InputError, match=r"device is cuda but torch sees no GPU here; set it to cpu"):
        prepare_torch(runtime.model_copy(update={"device": "cuda"}))


@pytest.mark.parametrize(("precision", "expected"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_matrix_products_run_in_the_chosen_precision(runtime, precision, expected):
    with arithmetic(runtime.model_copy(update={"precision": precision})):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == expected
    assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


@pytest.mark.parametrize("wrong", [{"device": "tpu"}, {"threads": 0}, {"precision": "float8"}, {"processes": 0}, {"gpus": 1}])
def test_other_values_are_refused(runtime, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RuntimeSettings(**runtime.model_dump() | wrong)
