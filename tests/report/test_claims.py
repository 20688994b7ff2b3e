import json

import pytest

from vldeformer.cli import main
from vldeformer.report.claims import claims_page


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text))


def verdicts(page):
    """Number of the claim → the verdicts under it."""
    parts = page.split("\n## ")[1:]
    return {part[0]: [line.split("**")[1] for line in part.splitlines() if "**" in line] for part in parts}


def test_the_page_is_that_of_the_results(committed):
    folders = [committed / "results" / name for name in ("flickr8k", "scenes")]
    assert claims_page(folders) == (committed / "docs" / "claims.md").read_text(encoding="utf-8"), "run `snakemake claims`"


def test_nothing_is_known_where_nothing_was_run(tmp_path):
    assert verdicts(claims_page([tmp_path])) == {str(number): ["unknown"] for number in range(1, 6)}


DROP = {"value": 0.2, "low": 0.0, "high": 0.5, "claim": 0.6, "verdict": "held", "seeds": 3}
LOST = DROP | {"value": 2.0, "low": 1.0, "high": 3.0, "verdict": "not held"}
OPEN = DROP | {"high": 0.7, "verdict": "unknown"}


def ablated(gain, kept=DROP, lost=LOST):
    """The ablations of the main model `mine`, with ``gain`` wherever one is."""
    row = {"gain": gain, "at": 250.0, "reference": "without", "compositional_gain": gain | {"seeds": 1}}
    ablations = {"negatives": {"mine": row}, "start": {"small": row, "other": row | {"gain": None}}}
    return {"main": "mine", "recall_drops": {"mine": kept, "without": lost}, "ablations": ablations}


@pytest.mark.parametrize(("low", "high", "expected"), [(0.1, 0.5, "held"), (-0.1, 0.5, "unknown"), (-0.5, -0.1, "not held")])
def test_a_gain_is_held_if_its_whole_interval_is_above_nothing(tmp_path, low, high, expected):
    gain = {"value": (low + high) / 2, "low": low, "high": high, "each_seed": {"0": low, "1": high}}
    write(tmp_path, "ablations/metrics.json", ablated(gain))
    page = claims_page([tmp_path])
    assert verdicts(page)["3"] == ["held", expected, expected] and verdicts(page)["4"] == [expected]
    shown = f"{(low + high) / 2:.2f} points [{low:.2f}, {high:.2f}]"
    assert f"They help: gain in mean recall {shown}, 2 seeds ({low:+.2f}, {high:+.2f}) |" in page
    assert f"They help: gain in the compositional test {shown}, 1 seed |" in page
    assert f"250 target images, `small` against `without`: gain {shown}, 2 seeds" in page


@pytest.mark.parametrize(
    ("kept", "lost", "expected"),
    [
        (DROP, LOST, "held"),
        (DROP, DROP, "not held"),  # kept without them as well
        (OPEN, DROP, "not held"),
        (LOST, LOST, "not held"),  # lost with them as well
        (DROP, OPEN, "unknown"),
        (OPEN, LOST, "unknown"),
    ],
)
def test_negatives_keep_the_accuracy_if_it_is_lost_without_them(tmp_path, kept, lost, expected):
    gain = {"value": 1.0, "low": 0.5, "high": 1.5, "each_seed": {"0": 1.0}}
    write(tmp_path, "ablations/metrics.json", ablated(gain, kept, lost))
    assert verdicts(claims_page([tmp_path]))["3"] == [expected, "held", "held"]


@pytest.mark.parametrize(("low", "expected"), [(56.0, "held"), (54.0, "unknown")])
def test_drops_speed_and_peers_are_read_from_their_files(tmp_path, low, expected):
    folder = tmp_path / "coco_x"
    drops = {"decomposed": DROP, "mined": OPEN, "control": DROP | {"claimed": False}}
    mean = {"value": 60.0, "low": low, "high": 65.0}
    models = {"decomposed": {"mean_recall": {"value": 1.0}, "coco-5k": {"protocol": "coco-5k", "mean_recall": mean}}}
    write(folder, "metrics.json", {"recall_drops": drops, "recall_drop": {"model": "decomposed"}, "models": models})
    speed = {"speedup": 900.0, "n_images": 10, "n_captions": 50, "dual_seconds": 1.0, "joint_seconds_extrapolated": 900.0}
    write(folder, "speed.json", speed | {"sampled_pairs": 5})
    write(folder, "tables/speed.csv", "quantity,value\nclaimed_speedup,1000\n")
    recalls = [f"{direction}_r{cutoff}" for direction in ("i2t", "t2i") for cutoff in (1, 5, 10)]
    rows = [("ours", "decomposed", "run", "", 60), ("joint", "joint", "run", "", 90), ("peer", "", "published", "dual", 55)]
    rows += [("a control", "control", "run", "", 99)]
    rows += [("better but joint", "", "published", "joint", 95), ("not run", "scratch", "not run", "", "")]
    lines = [f"coco-5k,{model},{name},{kind},{status},{','.join([str(value)] * 6)}" for model, name, status, kind, value in rows]
    header = ",".join(["protocol", "model", "experiment", "kind", "status", *recalls])
    write(folder, "tables/peers.csv", "\n".join([header, *lines]) + "\n")
    found = verdicts(claims_page([folder]))
    assert found["1"] == ["not held"] and found["2"] == ["held", "beside"] and found["5"] == [expected]
    assert "3 seeds" in claims_page([folder])
    shown = f"`decomposed` 60.0, best published peer 55.0, more by 5.00 points [{low - 55:.2f}, 10.00]"
    assert shown in claims_page([folder])


def test_a_folder_that_is_not_there_is_one_line(tmp_path, capsys):
    assert main(["claims", "--results", str(tmp_path / "none"), "--out", str(tmp_path / "page.md")]) == 2
    assert "none: expected a folder results/DATASET" in capsys.readouterr().err
    assert not (tmp_path / "page.md").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("metrics.json", []),
        ("metrics.json", {"recall_drops": {"decomposed": {"value": 0.2}}}),
        ("metrics.json", {"recall_drops": ["decomposed"]}),
        ("metrics.json", {"recall_drops": {"decomposed": DROP | {"low": "nothing"}}}),
        ("ablations/metrics.json", {"main": "x", "ablations": {"negatives": {"x": {"at": 1}}}}),
        ("ablations/metrics.json", {"ablations": {"start": [1]}}),
        ("speed.json", [1]),
        ("speed.json", {"speedup": 3.0}),
        ("tables/speed.csv", "a,b\n1,2\n"),
        ("tables/speed.csv", "quantity,value\nclaimed_speedup,many\n"),
        ("tables/peers.csv", "a,b\n1,2\n"),
    ],
)
def test_a_file_that_is_none_of_a_report_is_one_line_that_names_it(tmp_path, capsys, name, value):
    folder = tmp_path / "coco_x"
    write(folder, "tables/speed.csv", "quantity,value\nclaimed_speedup,1000\n")
    write(folder, name, value)
    assert main(["claims", "--results", str(folder), "--out", str(tmp_path / "page.md")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"vldeformer: {folder / name}: expected a file as the report writes it") and "report again" in line
    assert not (tmp_path / "page.md").exists()


def test_a_page_is_no_folder(tmp_path, capsys):
    (tmp_path / "out").mkdir()
    assert main(["claims", "--results", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    expected = f"vldeformer: {tmp_path / 'out'}: expected the name of a file to write, got a folder; name a file in it\n"
    assert capsys.readouterr().err == expected
