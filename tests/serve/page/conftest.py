"""A server of drawn pictures, some with names that are hard to show, and a browser before it."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import PIL.Image
import pytest
from search_page import GONE, NAMES, SHAPES, until

import vldeformer
from vldeformer.search.writing import index_images

BROWSER = Path("/usr/bin/chromium")


def draw(path, seed):
    """Large coloured blocks."""
    blocks = np.random.default_rng(seed).integers(256, size=(3, 4, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(blocks).resize(SHAPES[seed % 4], PIL.Image.Resampling.BILINEAR).save(path)


@pytest.fixture(scope="session")
def site(tmp_path_factory, model_folder):
    """A running `vldeformer serve`: ``url``, and ``picture``: the bytes of one that looks like 03.png."""
    pytest.importorskip("fastapi", reason="pip install 'vldeformer[serve]'")
    folder = tmp_path_factory.mktemp("site")
    for seed, name in enumerate(NAMES):
        draw(folder / "photos" / name, seed)
    index_images(model_folder("squares"), folder / "photos", folder / "pictures")
    (folder / "photos" / GONE).unlink()
    draw(folder / "mine.png", 3)
    joint = model_folder("squares", reading="joint")
    command = [sys.executable, "-m", "vldeformer.cli", "serve", folder / "pictures", "--port", "0", "--joint", joint]
    command += ["--rerank", "10", "--example", "a red ring", "--example", "a blue star"]
    source = str(Path(vldeformer.__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            said = process.stdout.readline()
            url = re.search(r"http://\S+/", said)
            assert url, f"the server said {said!r}"
            yield SimpleNamespace(url=url[0], picture=(folder / "mine.png").read_bytes())
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not BROWSER.is_file():
        pytest.skip(f"no {BROWSER}: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(BROWSER), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, site):
    """Opens the page; afterwards no request may have left the server, nor anything be told in the console but what ``fails``."""
    contexts, asked, told, failing = [], [], [], []

    def open_page(address="", width=1280, scheme="light", before=lambda page: None, fails=(), **options):
        context = chromium.new_context(viewport={"width": width, "height": 860}, color_scheme=scheme, **options)
        contexts.append(context)
        failing.extend(fails)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(f"error: {error}"))
        before(page)
        page.goto(site.url + address)
        until(page, "document.querySelector('#home').textContent !== 'Photographs'")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [text for text in told if not any(known in text for known in failing)] == []
    assert [url for url in asked if not url.startswith((site.url, f"blob:{site.url}"))] == []
