"""One process at a time writes a folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vldeformer.artifact import check_replaceable, whole_folder
from vldeformer.errors import InputError
from vldeformer.folder_lock import folder_lock

HOLD = """
import sys, time
from pathlib import Path
from vldeformer.folder_lock import folder_lock
with folder_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """A process that writes the folder `run` until it is stopped."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_folder_that_another_process_writes_is_refused_with_its_pid(holder, tmp_path):
    expected = f"{tmp_path / 'run'}: process {holder.pid} is writing this folder; wait for it or stop it"
    for attempt in (folder_lock, whole_folder):
        with pytest.raises(InputError) as refused, attempt(tmp_path / "run"):
            pytest.fail("the folder is taken")
        assert str(refused.value) == expected
    with pytest.raises(InputError, match=f"process {holder.pid} is writing"):
        check_replaceable(tmp_path / "run")
    with folder_lock(tmp_path / "other"):
        pass


def test_the_lock_of_a_dead_process_is_taken_over(holder, tmp_path):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert (tmp_path / ".run.lock").exists()
    check_replaceable(tmp_path / "run")
    with folder_lock(tmp_path / "run"):
        assert (tmp_path / ".run.lock").read_text().split()[0] == str(os.getpid())
    assert list(tmp_path.iterdir()) == [], "no lock file is left"


def test_a_process_that_ends_lets_the_next_one_in(holder, tmp_path):
    holder.communicate("")
    with folder_lock(tmp_path / "run"), whole_folder(tmp_path / "run") as folder:
        (folder / "file").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_lock_file_that_its_owner_removed_in_the_meantime_locks_nothing(tmp_path, monkeypatch):
    taken = []

    def removed_after_opening(path, *arguments, **options):
        file = real(path, *arguments, **options)
        if not taken:
            path.unlink()
        taken.append(file)
        return file

    real = Path.open
    monkeypatch.setattr(Path, "open", removed_after_opening)
    with folder_lock(tmp_path / "run"):
        assert len(taken) == 2 and (tmp_path / ".run.lock").exists()
