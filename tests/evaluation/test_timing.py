from types import SimpleNamespace

import pytest
import torch

from vldeformer.evaluation import timing
from vldeformer.evaluation.timing import Seconds, SpeedSettings, median_seconds, repeated_seconds

SETTINGS = SpeedSettings(pairs=1, images=1, captions=1, repeats=3, gallery_sizes=[])


@pytest.mark.parametrize("gpu", [True, False])
def test_only_warm_runs_count_and_a_gpu_ends_its_work_before_each_reading_of_the_clock(monkeypatch, gpu):
    now, done, queued = 0.0, [], []

    def work():
        done.append(len(done))
        queued.append(10.0 * len(done))  # what a GPU is given; on a CPU the work itself takes as long

    def finish():
        nonlocal now
        now += sum(queued)
        queued.clear()

    def clock():
        if not gpu:
            finish()
        return now

    monkeypatch.setattr("vldeformer.evaluation.timing.WARMUP", 2)
    monkeypatch.setattr("time.perf_counter", clock)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: gpu)
    monkeypatch.setattr(torch.cuda, "synchronize", finish)
    queued.append(1000.0)  # of somebody before
    assert median_seconds(work, SETTINGS) == 40.0, "the median of 30, 40 and 50; 10 and 20 warm up"
    assert len(done) == 5


def test_the_ends_of_a_sum_are_the_sums_of_the_ends(monkeypatch):
    clock = iter([0, 10, 14, 20, 22, 30, 33])
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    found = repeated_seconds(lambda: None, SETTINGS)
    assert found == Seconds(3, 2, 4), "the first run warms up"
    assert found * 2 + Seconds(1, 0.5, 2) == Seconds(7, 4.5, 10)
