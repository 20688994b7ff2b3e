"""The compositional test of tiny models: every score as one pair at a time gives it, and one line for what is wrong."""

import json

import numpy as np
import pytest
import torch

from vldeformer.cli import main
from vldeformer.data.sugarcrepe import SUBSETS, read_items
from vldeformer.evaluation.compositional_result import CompositionalResult
from vldeformer.models.joint import JointMatcher
from vldeformer.retrieval.reader import open_model
from vldeformer.runtime import this_machine


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def items(tiny, write_settings, tmp_path_factory):
    out = tmp_path_factory.mktemp("compositional") / "items"
    assert run("compositional-items", "--settings", write_settings(), "--raw-dir", tiny.raw, "--out", out) == 0
    return out


@pytest.fixture
def judge(tiny, items, write_settings):
    def judged(model, out, *more, folder=items):
        given = ["--manifest", tiny.manifest, "--features", tiny.regions, "--settings", write_settings()]
        return run("compositional", "--model", model, "--items", folder, *given, "--out", out, *more)

    return judged


def test_items_of_the_world_are_sugarcrepe_files(items, manifest):
    found = read_items(items)
    test = {image.id for image in manifest.split("test").images}
    assert {item.file.removesuffix(".png") for item in found} <= test
    assert {path.stem for path in items.iterdir()} == {item.subset for item in found} | {"provenance", "digests"}
    assert {"swap_obj", "add_obj", "add_att", "add_rel"} <= {item.subset for item in found} <= set(SUBSETS)


@pytest.mark.parametrize("kind", ["dual", "joint"])
def test_scores_are_those_of_one_pair_at_a_time(trained, tiny, items, judge, tmp_path, kind):
    model, out = getattr(trained, kind) / "model", tmp_path / "compositional.json"
    assert judge(model, out, "--dataset", "tiny", "--experiment", "mine") == 0
    found, given = CompositionalResult.load(out), read_items(items)
    assert (found.dataset, found.experiment, found.reading, found.left_out) == ("tiny", "mine", kind, 0)
    assert list(zip(found.subsets, found.keys, strict=True)) == [(item.subset, item.key) for item in given]
    loaded, reader = open_model(model, tiny.regions, this_machine())
    for item, scores in zip(given, found.scores, strict=True):
        visual = reader.visual.read([item.file.removesuffix(".png")])
        for text, score in zip((item.caption, item.negative), scores, strict=True):
            caption = reader.text.read([text])
            with torch.inference_mode():
                if isinstance(loaded, JointMatcher):
                    slow = loaded.score(caption, visual).item()
                else:
                    slow = (loaded.encode_text(caption) @ loaded.encode_visual(visual).T).item()
            assert score == pytest.approx(slow, abs=1e-5)
    assert found.blind is not None and sorted(path.name for path in tmp_path.iterdir()) == [
        "compositional.items.parquet",
        "compositional.json",
    ]


@pytest.mark.parametrize("kind", ["dual", "joint"])
def test_captions_that_are_cut_to_the_same_are_a_tie(trained, judge, tmp_path, kind):
    long = " ".join(["a red star and"] * 40)
    rows = {
        str(n): {"filename": f"test-{n:06d}.png", "caption": f"{long} a ring", "negative_caption": f"{long} a fish"}
        for n in range(9)
    }
    (tmp_path / "items").mkdir()
    (tmp_path / "items" / "replace_obj.json").write_text(json.dumps(rows))
    assert judge(getattr(trained, kind) / "model", tmp_path / "out.json", folder=tmp_path / "items") == 0
    subset = CompositionalResult.load(tmp_path / "out.json").summary()["subsets"]["replace_obj"]
    assert (subset["accuracy"], subset["tie_rate"], subset["n_items"]) == (0, 100, 9)


def test_items_of_other_splits_are_left_out_and_counted(trained, judge, tmp_path, capsys):
    row = {"caption": "a red star", "negative_caption": "a blue star"}
    rows = {"0": row | {"filename": "test-000001.png"}, "1": row | {"filename": "train-000001.png"}}
    (tmp_path / "swap_att.json").write_text(json.dumps(rows))
    assert judge(trained.dual / "model", tmp_path / "out.json", folder=tmp_path) == 0
    assert "1 of 2 items are of other images and are left out" in capsys.readouterr().err
    found = CompositionalResult.load(tmp_path / "out.json")
    assert (found.keys, found.image_ids, found.left_out) == (("0",), ("test-000001",), 1)
    assert np.isfinite([found.accuracies()["mean"].low, found.accuracies()["mean"].high]).all()


def test_bad_input_is_one_line_and_leaves_nothing(trained, tiny, judge, tmp_path, capsys, write_settings):
    row = {"filename": "000000085329.jpg", "caption": "a", "negative_caption": "b"}
    for name, text in (("none", None), ("cut", '{"0": {'), ("foreign", json.dumps({"0": row}))):
        (tmp_path / name).mkdir()
        if text is not None:
            (tmp_path / name / "add_obj.json").write_text(text)
    model, out = trained.dual / "model", tmp_path / "out" / "r.json"
    for folder, options, expected in (
        ("none", [], "expected SugarCrepe's files, replace_obj.json"),
        ("cut", [], "add_obj.json: expected JSON"),
        ("foreign", [], "no item is of an image of the split: looked for '000000085329.jpg'"),
        ("foreign", ["--split", "nope"], "no image in split nope"),
    ):
        assert judge(model, out, *options, folder=tmp_path / folder) == 2
        said = capsys.readouterr().err.splitlines()
        assert len(said) == 1 and expected in said[0]
    assert judge(model, tmp_path / "result") == 2 and "ends in .json" in capsys.readouterr().err
    settings = write_settings()
    assert (
        run("compositional-items", "--settings", settings, "--raw-dir", tiny.raw, "--split", "nope", "--out", tmp_path / "o") == 2
    )
    assert "no scene in split nope" in capsys.readouterr().err
    none = tmp_path / "no scenes"
    assert run("compositional-items", "--settings", settings, "--raw-dir", none, "--out", tmp_path / "cut") == 2
    assert "it holds other things" in capsys.readouterr().err, "said before anything is read"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut", "foreign", "none"]
