"""`snakemake --report`: tables and figures of a run with captions, categories and labels. The run is the stand-in's."""

import json
import re
import shutil
import zipfile


def test_the_report_has_tables_and_figures_with_captions_and_labels(finished, tmp_path):
    shutil.copytree(finished[0].folder, tmp_path / "project", ignore=shutil.ignore_patterns("locks", "incomplete"))
    project = type(finished[0])(tmp_path / "project")
    for table in (project.folder / "results").rglob("*.csv"):
        table.write_text("model,recall\ndecomposed,1\n")
    project.snakemake("--report", "report.zip", "--cores", "1", "all")
    with zipfile.ZipFile(project.folder / "report.zip") as archive:
        packed = {name.split("/", 1)[1]: archive.read(name).decode(errors="replace") for name in archive.namelist()}
    assert "report.html" in packed
    told = json.loads(re.search(r"var results = (\{.*?\});?\s*$", "\n".join(packed.values()), re.M)[1])
    labelled = {(each["labels"]["about"], each["labels"]["opens as"]) for each in told.values()}
    assert {("recall", "CSV file"), ("recall drop", "CSV file"), ("time of a query", "picture")} <= labelled
    assert ("all tables and figures, examples", "page") in labelled
    assert all(len(each["caption"]) > 40 for each in told.values())
