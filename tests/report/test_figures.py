import json
from itertools import combinations

import pytest

from vldeformer.errors import InputError
from vldeformer.report.drawing import drawing, number_points
from vldeformer.report.figures import save_recalls, save_training_curves
from vldeformer.report.journals import read_journal
from vldeformer.report.results import ResultSet
from vldeformer.report.speed import read_speed
from vldeformer.report.time_figures import save_gallery_time


@pytest.fixture
def journals(tmp_path):
    paths = {"Joint": tmp_path / "joint.jsonl", "Decomposed": tmp_path / "decomposed.jsonl"}
    for path in paths.values():
        lines = [{"step": step, "loss": 5 / (1 + step), "lr": 1e-4} for step in range(1, 40)]
        lines += [{"step": step, "val_mean_recall": step} for step in (20, 40)]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return paths


def test_numbers_of_points_do_not_cover_each_other(tmp_path):
    seconds = [0.95, 1.45, 2.9, 5.3, 8.3, 10.2, 25.0]
    with drawing(tmp_path / "figure", width=10, height=4.6, columns=2) as (figure, (axes, _)):
        axes.set_xscale("log")
        axes.set_xlim(0.7, 200)
        axes.set_ylim(83, 89)
        number_points(axes, [1, 2, 5, 10, 16, 20, 50], [(x, 86.8) for x in seconds], "black")
        figure.canvas.draw()
        boxes = [text.get_window_extent() for text in axes.texts]
    assert [text.get_text() for text in axes.texts] == ["1", "2", "5", "10", "16", "20", "50"]
    assert not [(one, two) for one, two in combinations(boxes, 2) if one.overlaps(two)]


def test_figures_have_the_same_bytes_each_time_and_no_date(result_paths, speed_path, journals, settings, tmp_path):
    for name in ("one", "two"):
        save_recalls(tmp_path / name / "recalls", ResultSet.load(result_paths), settings)
        save_training_curves(tmp_path / name / "training", journals)
        save_gallery_time(tmp_path / name / "gallery_time", read_speed(speed_path), settings)
    files = sorted((tmp_path / "one").iterdir())
    assert [file.name for file in files] == sorted(
        f"{figure}.{suffix}" for figure in ("recalls", "training", "gallery_time") for suffix in ("png", "svg")
    )
    for file in files:
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
        assert b"dc:date" not in file.read_bytes()


def test_a_journal_without_validation_is_drawn(journals, tmp_path):
    (tmp_path / "bare.jsonl").write_text('{"step": 1, "loss": 2.0, "lr": 0.1}\n')
    save_training_curves(tmp_path / "bare", {"Bare": tmp_path / "bare.jsonl"})
    assert (tmp_path / "bare.png").stat().st_size > 1000


def test_a_long_journal_is_drawn_with_few_points(tmp_path):
    for steps in (250, 20_000):
        path = tmp_path / f"{steps}.jsonl"
        path.write_text("".join(json.dumps({"step": step, "loss": 5 / step}) + "\n" for step in range(1, steps + 1)))
        save_training_curves(tmp_path / str(steps), {"Long": path})
    assert (tmp_path / "20000.svg").stat().st_size < 1.5 * (tmp_path / "250.svg").stat().st_size


def test_bad_journals_are_named(tmp_path):
    path = tmp_path / "journal.jsonl"
    with pytest.raises(InputError, match=r"journal\.jsonl: expected a training journal, found no file"):
        read_journal(path)
    path.write_text('{"step": 1, "loss": 2.0}\n{"step": 2, "lo')
    with pytest.raises(InputError, match=r"journal\.jsonl, line 2: expected a JSON object"):
        read_journal(path)
