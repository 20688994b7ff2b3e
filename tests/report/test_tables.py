"""The tables of every run: rows, texts with units, and the way from a cell back to its file."""

import csv
import io

import pytest

from vldeformer.report.sources import find_cell, value_in
from vldeformer.report.table import Column, Row, Said, Table, duration
from vldeformer.report.tables import drop_table, recall_table, speed_table, tables_of


def rows(table):
    return list(csv.DictReader(io.StringIO(table.numbers().to_csv(index=False))))


def test_recall_rows_come_in_the_order_of_the_titles_the_shared_pairs_first(report):
    table = recall_table(report)
    assert [(row["experiment"], row["protocol"]) for row in rows(table)] == [
        ("joint", "subset"),
        ("decomposed", "subset"),
        ("decomposed", "test"),
    ]
    assert table.shown()["Images / captions"].tolist() == ["40 / 200", "40 / 200", "60 / 300"]
    first, one = rows(table)[0], report.recalls[0]
    for column, estimate in (("t2i_R@5", one.t2i["R@5"]), ("i2t_median_rank", one.i2t["median_rank"])):
        assert [float(first[f"{column}{end}"]) for end in ("", "_low", "_high")] == [estimate.value, estimate.low, estimate.high]
    expected = f"{one.mean_recall.value:.1f} [{one.mean_recall.low:.1f}, {one.mean_recall.high:.1f}]"
    assert table.shown()["Mean recall"][0] == expected


def test_the_drop_has_the_claim_in_its_row(report):
    table = drop_table(report)
    assert table.shown().loc[0, "Paper"] == "below 0.6"
    assert rows(table)[0]["verdict"] == "unknown"
    assert "joint minus decomposed mean recall on the same 40 images and 200 captions" in table.caption


def test_speed_says_what_is_extrapolated_and_times_have_units(report):
    table = speed_table(report)
    shown = table.shown().set_index("Quantity")
    assert shown.loc["Whole test set"].tolist() == ["34.2 min extrapolated", "1.00 s measured", ""]
    assert shown.loc["Speed-up"].tolist() == ["1", "2,046 [1,990, 2,101] times", "1000+ times"]
    assert shown.loc["Fewer items: N × M / (N + M)"].tolist() == ["1", "833 times", ""]
    assert shown.loc["Time of an image"].tolist() == ["", "0.350 ms", ""]
    assert "extrapolated from 2,000 pairs" in table.caption
    numbers = {row["quantity"]: row for row in rows(table)}
    assert (numbers["Whole test set"]["unit"], numbers["Whole test set"]["joint"]) == ("s", "2050.0")
    assert numbers["Items through the transformer"]["decomposed"] == "6000"


@pytest.mark.parametrize(("images", "captions"), [(999, 5000), (1000, 4999)])
def test_a_time_scaled_from_a_sample_is_not_called_measured(report, images, captions):
    speed = report.speed.model_copy(update={"sampled_images": images, "sampled_captions": captions})
    shown = speed_table(report.model_copy(update={"speed": speed})).shown().set_index("Quantity")
    assert shown.loc["Whole test set"].tolist()[1] == f"1.00 s scaled from {images:,} images and {captions:,} captions"


def test_latex_is_booktabs_and_escaped(report):
    made = {table.name: table.latex() for table in tables_of(report)}
    assert made.keys() == {"headline", "recall", "recall_drop", "speed"}
    for text in made.values():
        for rule in ("\\toprule", "\\midrule", "\\bottomrule"):
            assert rule in text
    assert "Decomposed \\& more" in made["recall"]
    assert "Some\\_CPU 100\\%" in made["speed"]


@pytest.mark.parametrize(
    ("row", "column"),
    [(("decomposed", "test"), "mean_recall"), (("joint",), "i2t_R@1_low"), (("joint",), "t2i_median_rank"), (("joint",), "rsum")],
)
def test_a_recall_leads_back_to_its_key(report, tmp_path, row, column):
    recall_table(report).save(tmp_path)
    cell = find_cell(tmp_path / "recall.csv", row, column)
    (file,), key = cell.source.of(column)
    assert value_in(tmp_path / file, key) == float(cell.value) and "/".join(row[:1]) in file


def test_a_time_leads_back_to_speed_json(report, speed_path, tmp_path):
    speed_table(report).save(tmp_path)
    cell = find_cell(tmp_path / "speed.csv", ["Whole test set"], "decomposed")
    (file,), key = cell.source.of("decomposed")
    assert (file, key) == (speed_path.as_posix(), "dual_seconds") and value_in(speed_path, key) == float(cell.value)


def test_columns_without_a_value_are_left_out_and_a_value_may_have_its_own_words():
    columns = [
        Column("name", "Name"),
        Column("size", "Size", duration),
        Column("none", "None"),
        Column("exact"),
        Column("x", "X", in_csv=False),
    ]
    table = Table(
        "any", "Any", columns, [Row({"name": "a", "size": 0.5, "exact": 3, "x": "y"}, None), Row({"name": Said("b", "B")}, None)]
    )
    assert table.shown().to_dict("list") == {"Name": ["a", "B"], "Size": ["500 ms", ""], "X": ["y", ""]}
    assert rows(table) == [{"name": "a", "size": "0.5", "exact": "3"}, {"name": "b", "size": "", "exact": ""}]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.000412, "0.412 ms"), (12.3, "12.3 s"), (1506, "25.1 min"), (12240, "3.40 h"), (100, "1.67 min")]
)
def test_a_duration_has_three_figures_in_the_unit_that_suits(seconds, text):
    assert duration(seconds) == text


def test_a_mark_behind_a_title_is_explained_under_the_table():
    plain, marked = (
        Table("models", "Models.", [Column("model", "Model")], [Row({"model": f"Linear{end}"}, [])]) for end in ("", " †")
    )
    assert plain.about == "Models." and "†" not in plain.markdown()
    for text in (marked.markdown(), marked.latex()):
        assert "† with a text transformer that was trained on other texts" in text
    heading = Table("speed", "Speed.", [Column("quantity", "Quantity"), Column("joint", "Joint †")], [])
    assert "trained on other texts" in heading.about
