"""Two trainings into one folder: the second is refused, whenever it starts."""

import subprocess
import sys

import pytest

HOLD = """
import sys
from pathlib import Path
from vldeformer.folder_lock import folder_lock
with folder_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("step", ["train", "pretrain"])
@pytest.mark.parametrize("first", ["began before", "began while the second one read its inputs"])
def test_a_second_training_is_refused(command, write_settings, tmp_path, monkeypatch, capsys, step, first):
    if first != "began before":
        monkeypatch.setattr("vldeformer.artifact.check_replaceable", lambda out: None)
    out = tmp_path / "model"
    arguments = [sys.executable, "-c", HOLD, out]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        assert command(step, write_settings(train={"kind": "joint"}), out) == 2
        holder.communicate("")
    told = capsys.readouterr().err
    assert told.splitlines()[-1] == f"vldeformer: {out}: process {holder.pid} is writing this folder; wait for it or stop it"
    assert not list(tmp_path.iterdir()), "no journal was begun"
