"""Draws docs/pictures/front.png of README.md: the search page and the report of a finished run of `scenes`, side by side.

Run by `make picture` after `make reproduce`. It needs Chromium (`apt-get install chromium`) and a few minutes for the index.
"""

import argparse
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "pictures" / "front.png"
CHROMIUM = "/usr/bin/chromium"
QUERY = "a purple heart and a green tree"
SIZE = {"width": 740, "height": 600}
"""Of each page, in CSS pixels."""
GAP = 16
"""Pixels between the pages."""
MODEL, JOINT = Path("artifacts/scenes/base/train/model"), Path("artifacts/scenes/joint/train/model")
PICTURES, REPORT = Path("artifacts/scenes/base/prepare/pixels"), Path("results/scenes/report/index.html")
INDEX = Path("artifacts/front-picture/scenes")
"""The page shows the name of the folder."""


def main() -> None:
    """Draw the picture from the run in the folder ``--run``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=ROOT, help="folder of the finished run")
    run = parser.parse_args().run.resolve()
    for needed in (MODEL, JOINT, PICTURES, REPORT):
        if not (run / needed).exists():
            sys.exit(f"expected {run / needed}, found nothing there; run `make reproduce` first")
    cli = [sys.executable, "-m", "vldeformer.cli"]
    subprocess.run([*cli, "index", "--model", MODEL, "--images", PICTURES, "--out", INDEX], cwd=run, check=True)
    with sync_playwright() as playwright, served([*cli, "serve", INDEX, "--joint", JOINT, "--port", "0"], run) as address:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        pages = [search_page(browser, address), report_page(browser, run / REPORT)]
        browser.close()
    PICTURE.parent.mkdir(exist_ok=True)
    side_by_side(pages).save(PICTURE, optimize=True)


@contextmanager
def served(command: list[object], run: Path) -> Iterator[str]:
    """Address of the search page while it is served."""
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(list(map(str, command)), cwd=run, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            found = re.search(r"http://\S+/", line)
            if found is None:
                sys.exit(f"expected an address from `vldeformer serve`, got {line!r}")
            yield found[0]
        finally:
            process.terminate()


def new_page(browser: Browser) -> Page:
    """An empty light page."""
    return browser.new_context(viewport=SIZE, color_scheme="light", reduced_motion="reduce").new_page()


def search_page(browser: Browser, address: str) -> bytes:
    """The search page with the answers to a query."""
    page = new_page(browser)
    page.goto(f"{address}?{urlencode({'q': QUERY})}")
    page.locator("#photographs .tile img").first.wait_for()
    page.wait_for_load_state("networkidle")
    return page.screenshot()


def report_page(browser: Browser, report: Path) -> bytes:
    """The first screen of the report."""
    page = new_page(browser)
    page.goto(report.as_uri())
    return page.screenshot()


def side_by_side(screens: list[bytes]) -> Image.Image:
    """Both screens in one picture of 256 colours, to keep the file small."""
    pictures = [Image.open(io.BytesIO(screen)).convert("RGB") for screen in screens]
    width = sum(picture.width for picture in pictures) + GAP * (len(pictures) - 1)
    both = Image.new("RGB", (width, max(picture.height for picture in pictures)), "#d0d7de")
    left = 0
    for picture in pictures:
        both.paste(picture, (left, 0))
        left += picture.width + GAP
    return both.quantize(256, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
