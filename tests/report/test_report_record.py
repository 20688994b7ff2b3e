"""The report leaves a record of what it read; what git keeps of it has no time in it."""

import json
from pathlib import Path

from vldeformer.content_digest import digest
from vldeformer.report.lineage import follow, in_order


def test_the_record_names_what_was_read_by_content_and_what_was_written(page_world):
    folder = page_world.root / "results" / "w"
    record = json.loads((folder / "report.provenance.json").read_text())
    read = {Path(item["path"]): item["sha256"] for item in record["inputs"].values()}
    results = {path for path in folder.glob("*/*.json") if path.parent.name not in ("tables", "ablations")}
    assert results and results | {folder / "speed.json"} <= read.keys()
    assert read == {path: digest(path) for path in read}
    assert set(record["outputs"]) == {"metrics.json", "report.json", "tables", "figures", "plots"}
    assert all((folder / name).exists() for name in record["outputs"])
    assert record["settings"]["report"]["main"] and record["finished"]


def test_a_table_leads_to_every_result(page_world):
    folder = page_world.root / "results" / "w"
    links = {link.path: link for link in in_order(follow(folder / "tables" / "recall.csv"))}
    record = json.loads((folder / "report.provenance.json").read_text())
    assert links.keys() == {folder / "tables" / "recall.csv"} | {Path(item["path"]) for item in record["inputs"].values()}
    assert {link.state() for path, link in links.items() if path.suffix != ".csv"} == {"as it was read"}


def test_no_time_of_the_run_is_in_what_git_keeps(page_world):
    folder = page_world.root / "results" / "w"
    finished = json.loads((folder / "report.provenance.json").read_text())["finished"]
    for path in (folder / "metrics.json", *(folder / "tables").iterdir()):
        assert finished not in path.read_text()
