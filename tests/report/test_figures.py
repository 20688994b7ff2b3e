"""The figures: readable, without collisions, and each model in its colour."""

import json
import re
from itertools import combinations

import pytest
from made_reports import ablation, choice

from vldeformer.evaluation.run_facts import Number
from vldeformer.report.drawing import COLOURS, number_points, panels
from vldeformer.report.figures import ablation_chart, charts_of, cost_chart, look, training_chart
from vldeformer.report.journals import training


@pytest.fixture
def start():
    rows = [choice(f"row {at}", at=at) for at in (250.0, 500.0, 1000.0)]
    timed = rows[0].model_copy(update={"seconds": Number(value=12.5, files=()), "line": "one"})
    return ablation("start", timed, *(row.model_copy(update={"line": "two"}) for row in rows[1:])).model_copy(
        update={"axis": "Target images", "logarithmic": True}
    )


def overlaps(axes, figure):
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    return [(one, two) for one, two in combinations(boxes, 2) if one.overlaps(two)]


@pytest.mark.parametrize("slope", [0.0, -0.3, 0.3])
def test_numbers_of_points_do_not_cover_each_other_and_equal_places_share_one(slope):
    seconds = [0.95, 1.45, 2.9, 5.3, 8.3, 10.2, 25.0, 25.1]
    with panels(10, 4.6, columns=2) as (figure, (axes, _)):
        axes.set_xscale("log")
        axes.set_xlim(0.7, 200)
        axes.set_ylim(83, 89)
        number_points(
            axes, [1, 2, 5, 10, 16, 20, 50, 60], [(x, 86.8 + slope * place) for place, x in enumerate(seconds)], "black"
        )
        assert not overlaps(axes, figure)
        assert [text.get_text() for text in axes.texts] == ["1", "2", "5", "10", "16", "20", "50, 60"]


def test_names_of_rows_do_not_cover_each_other(report):
    chart = next(chart for chart in charts_of(report) if chart.name == "recalls")
    with panels(4.6, chart.height) as (figure, (axes,)):
        chart.plots[0].draw(axes)
        assert not overlaps(axes, figure)
        assert len(axes.texts) == 2 and axes.texts[0].get_text().startswith("Joint (early interaction): mean ")


def test_a_model_has_the_same_colour_in_every_figure(report):
    assert look(report, "decomposed")["color"] == COLOURS[0] and look(report, "joint")["color"] == COLOURS[1]
    charts = {chart.name: chart for chart in charts_of(report)}
    assert charts.keys() == {"recalls", "training", "gallery_time"}
    for name in ("training", "gallery_time"):
        with panels(4.6, 4) as (_, (axes,)):
            charts[name].plots[-1].draw(axes)
            colours = {line.get_label().split(":")[0]: line.get_color() for line in axes.lines}
        assert colours["Decomposed & more"] == COLOURS[0] and colours["Joint (early interaction)"] == COLOURS[1]


def test_a_journal_without_validation_is_drawn(report, tmp_path):
    (tmp_path / "bare.jsonl").write_text('{"step": 1, "loss": 2.0, "lr": 0.1}\n')
    training_chart(report.model_copy(update={"training": (training("bare", tmp_path / "bare.jsonl"),)})).save(tmp_path)
    assert (tmp_path / "training.png").stat().st_size > 1000


def test_a_long_journal_is_drawn_with_few_points(report, tmp_path):
    sizes = []
    for steps in (250, 20_000):
        path = tmp_path / f"{steps}.jsonl"
        path.write_text("".join(json.dumps({"step": step, "loss": 5 / step}) + "\n" for step in range(1, steps + 1)))
        training_chart(report.model_copy(update={"training": (training("joint", path),)})).save(tmp_path)
        sizes.append((tmp_path / "training.svg").stat().st_size)
    assert sizes[1] < 1.5 * sizes[0]


def test_ablations_are_drawn_with_the_same_bytes_twice(start, tmp_path):
    for name in ("one", "two"):
        ablation_chart(start).save(tmp_path / name)
        cost_chart(start).save(tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["start.png", "start.svg", "start_cost.png", "start_cost.svg"]
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files)
    drawn = (tmp_path / "one/start.svg").read_text()
    assert all(f"<!-- {text} -->" in drawn for text in ("one", "two", "Target images", "250"))


def test_a_picture_of_the_page_has_the_colours_of_the_page_and_text(report):
    for chart in charts_of(report):
        for svg in chart.page_svgs():
            assert svg.startswith("<svg role=") and "var(--series-0)" in svg and "<text" in svg
            assert not re.search(r"(fill|stroke): #[0-9a-f]{6}", svg)
