import csv
import io

import pytest

from vldeformer.report.results import ResultSet
from vldeformer.report.speed import read_speed
from vldeformer.report.tables import drop_table, recall_table, speed_table, write_tables


@pytest.fixture
def tables(result_paths, settings, speed_path):
    results = ResultSet.load(result_paths)
    return [recall_table(results, settings), drop_table(results, settings), speed_table(read_speed(speed_path), settings)]


def rows(table):
    return list(csv.DictReader(io.StringIO(table.numbers.to_csv(index=False))))


def test_recall_rows_come_in_the_order_of_the_titles_the_shared_pairs_first(tables):
    assert [(row["experiment"], row["protocol"]) for row in rows(tables[0])] == [
        ("joint", "subset"),
        ("decomposed", "subset"),
        ("decomposed", "test"),
    ]
    assert tables[0].shown["Images / captions"].tolist() == ["40 / 200", "40 / 200", "60 / 300"]
    first = rows(tables[0])[0]
    assert float(first["t2i_R@5_low"]) <= float(first["t2i_R@5"]) <= float(first["t2i_R@5_high"])


def test_drop_stands_beside_the_claim(tables):
    assert tables[1].shown.loc[0, "Paper"] == "below 0.6"
    assert rows(tables[1])[0]["verdict"] == "not held"


def test_speed_says_what_is_extrapolated_and_times_have_units(tables):
    shown = tables[2].shown.set_index("Quantity")
    assert shown.loc["Whole test set"].tolist() == ["34.2 min extrapolated", "1.00 s measured", ""]
    assert shown.loc["Speed-up"].tolist() == ["1", "2,046 times", "1000+ times"]
    assert shown.loc["Time an item"].tolist()[1] == "0.350 ms an image, 0.121 ms a caption"
    assert "extrapolated from 2,000 pairs" in tables[2].caption


@pytest.mark.parametrize(("images", "captions"), [(999, 5000), (1000, 4999)])
def test_a_time_scaled_from_a_sample_is_not_called_measured(speed_path, settings, images, captions):
    speed = read_speed(speed_path).model_copy(update={"sampled_images": images, "sampled_captions": captions})
    found = speed_table(speed, settings).shown.set_index("Quantity").loc["Whole test set"].tolist()[1]
    assert found == f"1.00 s scaled from {images:,} images and {captions:,} captions"


def test_latex_is_booktabs_and_escaped(tables):
    for table in tables:
        text = table.latex()
        for rule in ("\\toprule", "\\midrule", "\\bottomrule"):
            assert rule in text
    assert "Decomposed \\& more" in tables[0].latex()
    assert "Some\\_CPU 100\\%" in tables[2].latex()


def test_written_twice_gives_the_same_bytes(tables, tmp_path):
    for name in ("one", "two"):
        write_tables(tmp_path / name, tables)
    files = sorted(file.name for file in (tmp_path / "one").iterdir())
    assert files == sorted(
        f"{table}.{suffix}" for table in ("recall", "recall_drop", "speed") for suffix in ("csv", "md", "sources.json", "tex")
    )
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
