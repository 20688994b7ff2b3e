"""The page of `dvc plots` from our template: drawn in a browser without a network."""

import importlib.util
from pathlib import Path

import pytest
from workflow_projects import ROOT, Project

BROWSER = Path("/usr/bin/chromium")

spec = importlib.util.spec_from_file_location("plots_template", ROOT / "workflow" / "plots_template.py")
plots_template = importlib.util.module_from_spec(spec)
spec.loader.exec_module(plots_template)


def test_the_template_has_the_places_that_dvc_fills_and_loads_nothing():
    template = plots_template.template()
    assert template.count("{plot_divs}") == 1 and template.count("{refresh_tag}") == 1
    assert "{scripts}" not in template and "<script src" not in template


def test_a_curve_is_drawn_and_no_request_leaves_the_page(tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not BROWSER.is_file():
        pytest.skip(f"no {BROWSER}: apt-get install chromium")
    (tmp_path / "curve.csv").write_text("step,loss\n1,3.5\n2,2.5\n3,2.0\n")
    (tmp_path / "template.html").write_text(plots_template.template())
    project = Project(tmp_path)
    project.run("dvc", "init", "-q", "--no-scm")
    project.run(
        "dvc", "plots", "show", "curve.csv", "-x", "step", "-y", "loss", "--html-template", "template.html", "-o", "shown"
    )
    page_file = tmp_path / "shown" / "index.html"
    asked, failed = [], []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(BROWSER), args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.goto(page_file.as_uri())
        page.wait_for_selector("canvas.marks")
        drawn = page.evaluate(
            "(one => [...one.getContext('2d').getImageData(0, 0, one.width, one.height).data])(document.querySelector('canvas'))"
        )
        browser.close()
    assert asked == [page_file.as_uri()] and failed == []
    assert len(set(drawn)) > 2, "not a blank canvas"
