"""Downloads from a server that cuts off, forgets ranges, lies and is away."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from web_server import served

from vldeformer.datasets.downloads import download
from vldeformer.datasets.public_datasets import WebArchive
from vldeformer.errors import InputError

CONTENT = bytes(range(256)) * 3000  # 768,000 bytes: a dozen pieces
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILE = WebArchive("images", "https://nowhere.invalid/far/big.zip", len(CONTENT), f"sha256:{SHA256}", "x/", "x")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("vldeformer.datasets.downloads.ResumingDownload.__init__.__defaults__", (5, 0.0))


@pytest.fixture
def server():
    with served(big__zip=CONTENT) as running:
        yield running


def fetched(server, folder, file=FILE):
    path = download(file, folder, server.url)
    assert path == folder / "big.zip" and path.read_bytes() == CONTENT
    assert [item.name for item in folder.iterdir()] == ["big.zip"]


def refusal(server, folder, file=FILE):
    with pytest.raises(InputError) as caught:
        download(file, folder, server.url)
    assert "\n" not in str(caught.value) and not (folder / "big.zip").exists()
    return str(caught.value)


@pytest.mark.parametrize(
    "file", [FILE, replace(FILE, n_bytes=None), replace(FILE, hash=f"md5:{hashlib.md5(CONTENT).hexdigest()}")]
)
def test_a_file_comes_once(server, tmp_path, file):
    fetched(server, tmp_path, file)
    fetched(server, tmp_path, file)
    assert server.asked == [("/big.zip", None)]


def test_after_each_cut_only_the_rest_is_asked_for(server, tmp_path):
    server.cuts = [200_000, 70_000, 300_000]
    fetched(server, tmp_path)
    ranges = [asked for _, asked in server.asked]
    places = [int(asked.removeprefix("bytes=").removesuffix("-")) for asked in ranges[1:]]
    assert ranges[0] is None and len(places) == 3 and 0 < places[0] < places[1] < places[2] < len(CONTENT)


def test_a_server_that_knows_no_ranges_sends_all_again(server, tmp_path):
    server.cuts, server.knows_ranges = [500_000], False
    fetched(server, tmp_path)
    assert len(server.asked) == 2 and server.asked[1][1] is not None


@pytest.mark.parametrize("n_bytes", [None, len(CONTENT)])
def test_a_server_that_does_not_say_the_length(server, tmp_path, n_bytes):
    server.says_length = False
    fetched(server, tmp_path, replace(FILE, n_bytes=n_bytes))
    assert server.asked == [("/big.zip", None)]


def test_endless_cuts_end_in_one_line_and_the_next_run_goes_on(server, tmp_path):
    server.cuts = [300_000] + [0] * 5
    message = refusal(server, tmp_path)
    part = (tmp_path / "big.zip.part").stat().st_size
    assert f"cut off after {part:,} bytes" in message and "run the same command again to go on" in message
    assert 0 < part <= 300_000
    server.asked.clear()
    fetched(server, tmp_path)
    assert server.asked == [("/big.zip", f"bytes={part}-")]


def test_a_killed_download_goes_on(server, tmp_path):
    server.seconds_a_piece = 0.2
    code = (
        "import sys; from pathlib import Path; from vldeformer.datasets.downloads import download;"
        "from vldeformer.datasets.public_datasets import WebArchive;"
        f"download(WebArchive('images', {FILE.url!r}, {FILE.n_bytes}, {FILE.hash!r}, 'x/', 'x'), Path(sys.argv[1]), sys.argv[2])"
    )
    running = subprocess.Popen([sys.executable, "-c", code, tmp_path, server.url], env=os.environ)
    part, until = tmp_path / "big.zip.part", time.monotonic() + 60
    while not (part.exists() and part.stat().st_size) and time.monotonic() < until:
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    have = part.stat().st_size
    assert 0 < have < len(CONTENT) and not (tmp_path / "big.zip").exists()
    server.seconds_a_piece = 0.0
    assert download(FILE, tmp_path, server.url).read_bytes() == CONTENT
    assert server.asked[-1] == ("/big.zip", f"bytes={have}-")


@pytest.mark.parametrize(
    ("n_bytes", "more", "requests"), [(len(CONTENT), b"", 0), (None, b"", 1), (len(CONTENT), b"more", 2), (None, b"more", 2)]
)
def test_a_part_that_is_as_long_as_the_file_or_longer(server, tmp_path, n_bytes, more, requests):
    (tmp_path / "big.zip.part").write_bytes(CONTENT + more)
    fetched(server, tmp_path, replace(FILE, n_bytes=n_bytes))
    assert len(server.asked) == requests


def test_wrong_bytes_are_thrown_away(server, tmp_path):
    server.files["big.zip"] = b"x" + CONTENT[1:]
    message = refusal(server, tmp_path)
    assert f"expected a file with sha256 {SHA256}, got another one; it was deleted" in message
    assert list(tmp_path.iterdir()) == []
    server.files["big.zip"] = CONTENT
    fetched(server, tmp_path)


def test_a_damaged_file_in_the_folder_is_fetched_again(server, tmp_path):
    (tmp_path / "big.zip").write_bytes(CONTENT[:1000])
    fetched(server, tmp_path)


def test_a_file_of_another_size_is_not_downloaded(server, tmp_path):
    server.files["big.zip"] = CONTENT + b"more"
    assert "expected a file of 768,000 bytes, the server has one of 768,004; it has changed" in refusal(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_states_more_than_it_sends(server, tmp_path):
    server.stated_length = len(CONTENT) + 10
    assert "cut off after" in refusal(server, tmp_path, replace(FILE, n_bytes=None))


def test_a_missing_file(server, tmp_path):
    del server.files["big.zip"]
    assert refusal(server, tmp_path) == f"{server.url}/big.zip: the server answers 404 Not Found; try again later"


def test_no_network(server, tmp_path):
    with served() as gone:
        pass
    message = refusal(gone, tmp_path)
    assert message.startswith(f"{gone.url}/big.zip: cannot be reached") and "is there a network?" in message
