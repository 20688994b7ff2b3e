import csv
import io
import json
from pathlib import Path

import pytest
from settings_files import CONFIG

from vldeformer.cli import main
from vldeformer.errors import InputError
from vldeformer.evaluation.protocols import PROTOCOLS
from vldeformer.report.peers import RECALL_COLUMNS, peers_table, read_published

PUBLISHED = CONFIG / "published.csv"
FACTS = Path(__file__).parents[3] / "shared" / "docs" / "published.csv"


PROTOCOL_SETTINGS = {
    "published_protocols": ["coco-5k", "coco-1k-5fold"],
    "counterparts": {"joint": "VinVL-base", "decomposed": "LightningDOT"},
}


@pytest.fixture
def paths(make, tmp_path):
    made = [
        make("decomposed", "subset", 40, 10, 1),
        make("joint", "subset", 40, 10, 1),
        make("decomposed", "coco-5k", 50, 20, 2),
        make("decomposed", "coco-1k-5fold", 50, 12, 3),
    ]
    for one in made:
        one.save(tmp_path / one.experiment / f"{one.protocol}.json")
    return [tmp_path / one.experiment / f"{one.protocol}.json" for one in made]


@pytest.fixture
def compared(collect, paths):
    return collect(paths, published=PUBLISHED, **PROTOCOL_SETTINGS)


def rows(table):
    return list(csv.DictReader(io.StringIO(table.numbers().to_csv(index=False))))


@pytest.mark.skipif(not FACTS.is_file(), reason="needs ../shared/docs/published.csv")
def test_the_facts_are_those_that_were_collected():
    assert PUBLISHED.read_bytes() == FACTS.read_bytes()


def test_every_published_protocol_is_one_that_models_are_judged_by():
    peers = read_published(PUBLISHED)
    assert len(peers) == len(PUBLISHED.read_text().splitlines()) - 1 == 40
    assert {peer.protocol for peer in peers} == {"coco-5k", "coco-1k-5fold", "flickr30k-1k"} <= set(PROTOCOLS)
    vinvl = next(peer for peer in peers if peer.model == "VinVL-base")
    assert (vinvl.protocol, vinvl.kind, vinvl.source) == ("coco-5k", "joint", "Oscar VinVL_MODEL_ZOO.md")
    assert list(vinvl.recalls.values()) == [74.6, 92.6, None, 58.1, 83.2, None]


def test_ours_come_after_the_published_models_with_the_difference_from_their_counterpart(compared):
    found = rows(peers_table(compared))
    assert [row["status"] for row in found if row["protocol"] == "coco-5k"] == ["published"] * 21 + ["not run", "not run", "run"]
    assert [row["status"] for row in found if row["protocol"] == "coco-1k-5fold"] == ["published"] * 4 + ["not run"] * 2 + ["run"]
    ours = next(row for row in found if (row["experiment"], row["protocol"]) == ("decomposed", "coco-5k"))
    theirs = next(row for row in found if (row["model"], row["protocol"]) == ("LightningDOT", "coco-5k"))
    result = compared.recall("decomposed", "coco-5k")
    for name, (direction, recall) in RECALL_COLUMNS.items():
        value = getattr(result, direction)[recall].value
        assert float(ours[name]) == pytest.approx(value)
        assert float(ours[f"{name}_difference"]) == pytest.approx(value - float(theirs[name]))
    assert ours["counterpart"] == "LightningDOT" and theirs["source"] == "LightningDOT README"


def test_people_see_values_differences_blanks_and_what_was_not_run(compared):
    shown = peers_table(compared).shown()
    first = shown[shown["Protocol"] == "coco-5k"].set_index("Model")
    assert first.loc["VinVL-base", "Image to text R@10"] == "" and first.loc["VinVL-base", "Image to text R@1"] == "74.6"
    value = compared.recall("decomposed", "coco-5k").i2t["R@1"].value
    assert first.loc["Decomposed & more (ours)", "Image to text R@1"] == f"{value:.1f} ({value - 60.0:+.1f})"
    assert first.loc["Decomposed & more (ours)", "Source"] == "this run, minus LightningDOT"
    assert set(first.loc["Joint (early interaction) (ours)"].iloc[2:8]) == {"not run"}
    second = shown[shown["Protocol"] == "coco-1k-5fold"].set_index("Model")  # LightningDOT published nothing there
    value = compared.recall("decomposed", "coco-1k-5fold").t2i["R@5"].value
    assert second.loc["Decomposed & more (ours)", "Text to image R@5"] == f"{value:.1f}"


def test_protocols_and_counterparts_that_nobody_published(collect, paths):
    with pytest.raises(InputError, match="nothing is published under 'flickr8k-1k'"):
        collect(paths, published=PUBLISHED, published_protocols=["flickr8k-1k"])
    with pytest.raises(InputError, match=r"report\.counterparts\.joint: expected a published model .*, got 'VinVL'"):
        collect(paths, published=PUBLISHED, **(PROTOCOL_SETTINGS | {"counterparts": {"joint": "VinVL"}}))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("coco,5k,UNITER-base,joint,64.4", "coco,5k,UNITER-base,joint,644", "line 6: i2t_r1: expected percent .*, got '644'"),
        ("coco,5k,UNITER-base,joint,64.4", "coco,5k,UNITER-base,joint,high", "line 6: i2t_r1: expected percent .*, got 'high'"),
        ("coco,5k,UNITER-base,joint,64.4", "coco,5k,UNITER,-base,joint,64.4", "line 6: expected 11 columns"),
        ("coco,5k,UNITER-large", "coco,5k,UNITER-base", "line 7: model 'UNITER-base' is there twice under coco-5k"),
        ("dataset,protocol,model", "data,protocol,model", "expected the columns dataset, protocol"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, old, new, message):
    path = tmp_path / "published.csv"
    text = PUBLISHED.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    with pytest.raises(InputError, match=rf"published\.csv:? {message}"):
        read_published(path)


def test_the_report_writes_the_table_only_where_protocols_are_named(result_paths, settings, speed_path, tmp_path, capsys):
    for name, section in (("plain", settings), ("beside", settings.model_copy(update=PROTOCOL_SETTINGS))):
        (tmp_path / f"{name}.json").write_text(json.dumps({"report": section.model_dump()}))
    (tmp_path / "journal.jsonl").write_text('{"step": 1, "loss": 2.0, "lr": 0.1}\n')
    given = [
        "--results",
        *map(str, result_paths),
        "--speed",
        str(speed_path),
        "--journals",
        f"joint={tmp_path / 'journal.jsonl'}",
    ]

    def report(name, *more):
        return main(["report", "--settings", str(tmp_path / f"{name}.json"), *given, *more, "--out", str(tmp_path / name)])

    assert report("plain") == 0 == report("beside", "--published", str(PUBLISHED))
    tables = {name: {path.name for path in (tmp_path / name / "tables").iterdir()} for name in ("plain", "beside")}
    assert tables["beside"] - tables["plain"] == {"peers.md", "peers.csv", "peers.tex", "peers.sources.json"}
    assert "not run |" in (tmp_path / "beside" / "tables" / "peers.md").read_text()
    assert (tmp_path / "plain" / "metrics.json").read_bytes() == (tmp_path / "beside" / "metrics.json").read_bytes()
    assert report("beside") == 2
    assert "needs --published config/published.csv" in capsys.readouterr().err
