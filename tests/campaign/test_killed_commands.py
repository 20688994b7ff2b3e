"""Whole commands killed at any time: the same command goes on and ends in the bytes of a run that nobody killed.

Takes half an hour on two cores; `make campaign` runs it, `make test` does not.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import PIL.Image
import pytest
from tiny_settings import COMPOSED

from vldeformer.project.verification import faults_below

KILLS = int(os.environ.get("CAMPAIGN_KILLS", "0"))
pytestmark = pytest.mark.skipif(not KILLS, reason="half an hour: make campaign")
TIMES = ("provenance.json", "digests.json", "contents.json", "index.json", "journal.jsonl")
"""Files with times, or with digests of such files."""


def files(out):
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name not in TIMES and not path.name.startswith(".")
    }


@pytest.fixture
def commands(tiny, trained, write_settings, model_folder, tmp_path):
    """Name → words of a command without --out."""
    data = ["--manifest", tiny.manifest, "--features", tiny.regions]
    dual = write_settings(train={"start": "pretrained", "hard_negatives": COMPOSED})
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(8):
        PIL.Image.new("RGB", (60, 50), (number * 30, 10, 10)).save(photos / f"{number}.png")
    learned = ["--tokenizer", tiny.tokenizer, "--start", trained.pretrain / "model", "--negatives", trained.negatives]
    settings = write_settings()
    return {
        "train": ["train", "--settings", dual, *data, *learned],
        "embed": ["embed", "--settings", settings, *data, "--model", trained.dual / "model"],
        "features": ["features", "--settings", settings, "--raw-dir", tiny.raw, "--prepared", tiny.prepare],
        "index": ["index", "--model", model_folder("squares"), "--images", photos],
    }


@pytest.mark.parametrize("name", ["train", "index", "features", "embed"])
def test_a_killed_command_goes_on(commands, tmp_path, name, capsys):
    def start(out):
        words = [sys.executable, "-m", "vldeformer.cli", *map(str, commands[name]), "--out", str(out)]
        return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    began, whole = time.monotonic(), tmp_path / "whole" / "out"
    whole.parent.mkdir()
    assert start(whole).wait() == 0
    seconds, drawn, wrong = time.monotonic() - began, random.Random(name), []
    for number in range(KILLS):
        out = tmp_path / f"killed-{number}" / "out"
        out.parent.mkdir()
        if number % 2:  # replaced: an older output is there
            shutil.copytree(whole, out)
        process = start(out)
        time.sleep(drawn.uniform(0.5, 1) * seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        again = start(out)
        _, said = again.communicate()
        left = [path.name for path in out.parent.iterdir() if path.name.endswith((".tmp", ".old"))]
        if again.returncode or files(out) != files(whole) or left or any(fault for fault, _ in faults_below(out)):
            wrong.append((number, said, left))
        shutil.rmtree(out.parent)
    with capsys.disabled():
        print(f"\n{name}: {KILLS} kills tried, {len(wrong)} wrong")
    assert not wrong
