"""Benchmarks that are quick enough run in small; of the others the parts that decide what is compared."""

import json
import sys

import numpy as np
import pytest


def test_float16_features_are_compared_with_what_the_detector_finds(load, monkeypatch, tmp_path, tiny, model_folder):
    module, out = load("float16_features"), tmp_path / "float16_features.json"
    out.write_text('{"machine": {"cpu": "of an earlier entry"}, "coco": {"images": 1}}', encoding="utf-8")
    monkeypatch.setattr(module, "cpu_count", lambda: 1)
    given = ["--model", model_folder("oscar"), "--manifest", tiny.manifest, "--features", tiny.regions, "--out", out]
    monkeypatch.setattr(sys, "argv", ["float16_features.py", *map(str, given)])
    module.main()
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["coco"] == {"images": 1} and "cores" in found["machine"] and found["machine"]["cpu"] != "of an earlier entry"
    assert 0 < found["scenes"]["largest_difference_of_a_vector"] < 1e-2


def test_float16_features_without_a_run_are_refused_with_what_to_do(load, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["float16_features.py", "--model", str(tmp_path / "model")])
    with pytest.raises(SystemExit, match=r"expected a finished run of scenes, found none; run `make reproduce`, or give --model"):
        load("float16_features").main()


def test_lists_for_eccv_caption_are_those_of_a_sort_of_the_whole_gallery(load):
    best_rows = load("exact_ranks").best_rows
    generator = np.random.default_rng(0)
    for kinds in (2, 5, 1000):  # of scores: nearly all, many and few ties
        scores = generator.integers(kinds, size=200).astype(np.float32)
        assert best_rows(scores, 10).tolist() == np.argsort(-scores, kind="stable")[:10].tolist()


@pytest.mark.slow
def test_vilt_runs_in_small_on_a_processor(load, monkeypatch, tmp_path):
    module, out = load("vilt_throughput"), tmp_path / "vilt.json"
    monkeypatch.setattr(module.os, "cpu_count", lambda: 1)
    monkeypatch.setitem(module.PRODUCT_SIDE, "cpu", 64)
    small = "--device cpu --precision float32 --layers 1 --batch 2 --large 8 --steps 1".split()
    monkeypatch.setattr(sys, "argv", ["vilt_throughput.py", *small, "--out", str(out)])
    module.main()
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["gpu"] is None and "large_batch" not in found["training"]
    assert found["embedding"]["utilisation"] > 0 and found["training"]["utilisation"] > 0


def test_operations_of_a_layer_are_those_that_torch_counts(load):
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from vldeformer.inputs.batch import TextInput

    module = load("vilt_throughput")
    backbone = module.load_settings(module.ROOT / "config", "coco_vilt", "gpu24").backbone.model_copy(update={"layers": 1})
    model, ids = module.ViltBackbone(backbone, 100, 3).eval(), torch.ones(1, 12, dtype=torch.long)
    with FlopCounterMode(display=False) as counted, torch.inference_mode():
        model.encode(model.text_sequence(TextInput(ids, torch.ones_like(ids, dtype=torch.bool))))
    assert counted.get_total_flops() == module.operations(backbone, 12)


def test_the_start_of_the_command_line_is_measured_in_small(load, monkeypatch, tmp_path):
    out = tmp_path / "startup.json"
    monkeypatch.setattr(sys, "argv", ["startup.py", "--repeats", "1", "--out", str(out)])
    module = load("startup")
    module.main()
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["beyond_pass"].keys() == module.RUNS.keys() - {"python -c pass"}
    assert 0 < found["beyond_pass"]["vldeformer --help"] < 3 * module.MOST_SECONDS, "far beyond, even on a busy machine"
