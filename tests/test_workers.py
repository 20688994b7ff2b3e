"""Jobs in several processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import pytest

from vldeformer.workers import in_processes

BUSY = """
import os, sys, time, joblib
from vldeformer.workers import in_processes
def job(name):
    open(f"{sys.argv[1]}/{os.getpid()}", "w").close()
    time.sleep(120)
if __name__ == "__main__":
    list(in_processes(2, (joblib.delayed(job)(name) for name in range(4))))
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_jobs(workers):
    jobs = (joblib.delayed(divmod)(number, 3) for number in range(7))
    assert list(in_processes(workers, jobs)) == [divmod(number, 3) for number in range(7)]


def running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_workers_of_a_killed_process_end(tmp_path):
    script = tmp_path / "busy.py"
    script.write_text(BUSY)
    (tmp_path / "started").mkdir()
    process = subprocess.Popen([sys.executable, script, tmp_path / "started"], stderr=subprocess.DEVNULL)

    def pids():
        return [int(path.name) for path in (tmp_path / "started").iterdir()]

    until(lambda: len(pids()) == 2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    until(lambda: not any(map(running, pids())))


def until(condition, seconds=30):
    for _ in range(seconds * 10):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail(f"not after {seconds} s")
