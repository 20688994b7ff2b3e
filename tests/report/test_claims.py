"""The page of claims: each verdict from reports made by hand."""

import json

import pytest
from made_reports import ablation, choice, drop, recall, report

from vldeformer.cli import main
from vldeformer.evaluation.over_seeds import SeedEstimate
from vldeformer.evaluation.run_facts import Published
from vldeformer.report.claims import claims_page


def verdicts(page):
    """Number of the claim → the verdicts under it."""
    parts = page.split("\n## ")[1:]
    return {part[0]: [line.split("**")[1] for line in part.splitlines() if "**" in line] for part in parts}


def test_the_page_is_that_of_the_results(committed):
    folders = [committed / "results" / name for name in ("flickr8k", "scenes")]
    assert claims_page(folders) == (committed / "docs" / "claims.md").read_text(encoding="utf-8"), "run `snakemake claims`"


def test_nothing_is_known_where_nothing_was_run(tmp_path):
    assert verdicts(claims_page([tmp_path])) == {str(number): ["unknown"] for number in range(1, 6)}


LOST = {"value": 2.0, "low": 1.0, "high": 3.0}
OPEN = {"high": 0.7}


def ablated(gain, kept=None, lost=None):
    """The ablations of the main model, with ``gain`` in all rows but one."""
    both = {seed: gain.low if seed % 2 else gain.high for seed in range(5)}
    negatives = ablation("negatives", choice("decomposed", gain, "without", each=both, composed=gain))
    start = ablation("start", choice("small", gain, "without", at=250.0, each=both), choice("other"))
    drops = [drop("decomposed", **(kept or {})), drop("without", **(LOST if lost is None else lost))]
    return report(drops=drops, ablations=(negatives, start), timed=False)


@pytest.mark.parametrize(("low", "high", "expected"), [(0.1, 0.5, "held"), (-0.1, 0.5, "unknown"), (-0.5, -0.1, "not held")])
def test_a_gain_is_held_if_its_whole_interval_is_above_nothing(tmp_path, low, high, expected):
    ablated(SeedEstimate((low + high) / 2, low, high)).save(tmp_path / "ablations" / "report.json")
    page = claims_page([tmp_path])
    assert verdicts(page)["3"] == ["held", expected, expected] and verdicts(page)["4"] == [expected]
    shown = f"{(low + high) / 2:.2f} points [{low:.2f}, {high:.2f}]"
    assert f"They help: gain in mean recall {shown}, 5 seeds ({high:+.2f}, {low:+.2f}, " in page
    assert f"They help: gain in the compositional test {shown}, 5 seeds; " in page
    assert f"250 target images, `small` against `without`: gain {shown}, 5 seeds" in page


@pytest.mark.parametrize(
    ("kept", "lost", "expected"),
    [
        ({}, LOST, "held"),
        ({}, {}, "not held"),  # kept without them as well
        (OPEN, {}, "not held"),
        (LOST, LOST, "not held"),  # lost with them as well
        ({}, OPEN, "unknown"),
        (OPEN, LOST, "unknown"),
    ],
)
def test_negatives_keep_the_accuracy_if_it_is_lost_without_them(tmp_path, kept, lost, expected):
    ablated(SeedEstimate(1.0, 0.5, 1.5), kept, lost).save(tmp_path / "ablations" / "report.json")
    assert verdicts(claims_page([tmp_path]))["3"] == [expected, "held", "held"]


def peer(model, kind, value):
    recalls = {f"{direction}_r{cutoff}": value for direction in ("i2t", "t2i") for cutoff in (1, 5, 10)}
    return Published(protocol="coco-5k", model=model, kind=kind, recalls=recalls, source="", where="")


@pytest.mark.parametrize("half", [4.0, 6.0])
def test_drops_speed_and_peers_are_those_of_the_report(tmp_path, half):
    drops = [drop("decomposed"), drop("mined", **OPEN), drop("control", claimed=False)]
    recalls = [recall("decomposed"), recall("decomposed", "coco-5k", 60.0, half), recall("control", "coco-5k", 99.0)]
    peers = (peer("peer", "dual", 55.0), peer("better but joint", "joint", 95.0), peer("not all found", "dual", None))
    made = report("coco_x", drops, recalls, published=peers, published_protocols=("coco-5k",))
    slow = {"speedup": 900.0, "speedup_low": 850.0, "speedup_high": 999.0}
    made = made.model_copy(update={"speed": made.speed.model_copy(update=slow)})
    made.save(tmp_path / "coco_x" / "report.json")
    page = claims_page([tmp_path / "coco_x"])
    found = verdicts(page)
    assert found["1"] == ["not held"] and found["2"] == ["held", "other model"] and found["5"] == ["unknown"]
    assert "5 seeds; bound 0.6; the whole interval is below the bound" in page and "fewer than 5 seeds" in page
    assert "900 [850, 999] times: 1,000 images × 5,000 captions in 1.00 s" in page
    shown = f"`decomposed` 60.0, best published peer 55.0, more by 5.00 points [{5 - half:.2f}, {5 + half:.2f}]"
    assert shown in page


def test_a_folder_that_is_not_there_is_one_line(tmp_path, capsys):
    assert main(["claims", "--results", str(tmp_path / "none"), "--out", str(tmp_path / "page.md")]) == 2
    assert "none: expected a folder results/DATASET" in capsys.readouterr().err
    assert not (tmp_path / "page.md").exists()


@pytest.mark.parametrize("name", ["report.json", "ablations/report.json"])
@pytest.mark.parametrize("value", [[], {"dataset": "x"}, {"drops": [1]}])
def test_a_file_that_is_not_a_report_is_one_line_that_names_it(tmp_path, capsys, name, value):
    path = tmp_path / "coco_x" / name
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(value))
    assert main(["claims", "--results", str(tmp_path / "coco_x"), "--out", str(tmp_path / "page.md")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"vldeformer: {path}: key ") and "run `vldeformer report` again" in line
    assert not (tmp_path / "page.md").exists()


def test_a_page_is_no_folder(tmp_path, capsys):
    (tmp_path / "out").mkdir()
    assert main(["claims", "--results", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    expected = f"vldeformer: {tmp_path / 'out'}: expected the name of a file to write, got a folder; name a file in it\n"
    assert capsys.readouterr().err == expected
