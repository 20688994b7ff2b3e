"""Vectors, scores, results and times of the tiny models."""

import json

import numpy as np
import oracles
import pytest

from vldeformer.artifact import read_json
from vldeformer.cli import main
from vldeformer.content_digest import digest
from vldeformer.data.records import Regions
from vldeformer.data.regions import RegionStore, write_regions
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.retrieval.embeddings import Embeddings, Scores
from vldeformer.scenes.words import in_usual_words


def test_vectors_are_of_the_test_split(trained, manifest):
    found, test = Embeddings.load(trained.embed), manifest.split("test")
    assert found.image_ids == tuple(image.id for image in test.images)
    assert found.caption_ids == tuple(caption.id for caption in test.captions)
    assert json.loads((trained.embed / "provenance.json").read_text())["inputs"].keys() == {"model", "manifest", "features"}


def test_scores_are_of_the_first_images_or_of_all(trained, command, write_settings, tmp_path):
    part = Scores.load(trained.score)
    assert part.scores.shape == (6, 30)
    assert command("score", write_settings(), tmp_path / "all", "--model", trained.joint / "model", "--all") == 0
    whole = Scores.load(tmp_path / "all")
    assert whole.scores.shape == (10, 50) and np.allclose(whole.scores[:6, :30], part.scores, atol=1e-5)
    given = [read_json(folder / "provenance.json")["settings"] for folder in (trained.score, tmp_path / "all")]
    assert [settings["all"] for settings in given] == [False, True] and given[0]["evaluate"]["joint_images"] == 6


def test_the_oracle_gives_the_right_pair_the_highest_score(tiny, tmp_path):
    arguments = ["score-oracle", "--raw-dir", tiny.raw, "--manifest", tiny.manifest, "--out", tmp_path / "score"]
    assert main([*map(str, arguments)]) == 0
    found = Scores.load(tmp_path / "score")
    for column, image in enumerate(found.caption_image_index):
        assert found.scores[image, column] == found.scores[:, column].max()


def test_the_lexical_baseline_reads_tags_and_captions(tiny, write_settings, tmp_path, manifest, capsys):
    given = ["--settings", write_settings(), "--manifest", tiny.manifest, "--out", tmp_path / "score"]
    assert main([*map(str, ["score-lexical", *given, "--features", tiny.regions])]) == 0
    found, store, test = Scores.load(tmp_path / "score"), RegionStore(tiny.regions), manifest.split("test")
    known = [in_usual_words(" ".join(store[image.id].tags)) for image in manifest.split("train").images]
    tags = [in_usual_words(" ".join(store[image.id].tags)) for image in test.images]
    for row, column in ((0, 0), (3, 17), (9, 49)):
        expected = oracles.tf_idf_cosine(tags[row], in_usual_words(test.captions[column].text), known)
        assert found.scores[row, column] == pytest.approx(expected, abs=1e-6)
    assert np.ptp(found.scores) > 0.3
    assert main([*map(str, ["score-lexical", *given, "--features", tmp_path])]) == 2
    assert "expected a region store with tags, found none" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "protocol", "images"), [("embed", "test", 10), ("embed", "subset", 6), ("score", "subset", 6)]
)
def test_results_are_written_with_every_rank(trained, write_settings, tmp_path, source, protocol, images):
    out = tmp_path / "results" / f"{protocol}.json"
    given = {"embed": "--embeddings", "score": "--scores"}[source]
    arguments = [
        "evaluate",
        "--settings",
        write_settings(),
        given,
        getattr(trained, source),
        "--protocol",
        protocol,
        "--out",
        out,
    ]
    assert main([*map(str, arguments), "--dataset", "tiny", "--experiment", "x"]) == 0
    assert len(RetrievalResult.load(out).ranks.i2t) == images
    assert sorted(path.name for path in out.parent.iterdir()) == [f"{protocol}.json", f"{protocol}.ranks.parquet"]


def test_anyones_arrays_are_judged(trained, tmp_path):
    names = {"--images": "images", "--captions": "captions", "--caption-image-index": "caption_image_index"}
    files = [str(part) for option, name in names.items() for part in (option, trained.embed / f"{name}.npy")]
    assert main(["evaluate", *files, "--protocol", "all", "--out", str(tmp_path / "all.json")]) == 0
    assert len(RetrievalResult.load(tmp_path / "all.json").ranks.t2i) == 50


def test_speed_is_measured_and_scaled(trained, command, write_settings, tmp_path):
    out = tmp_path / "speed.json"
    assert command("speed", write_settings(), out, "--joint", trained.joint / "model", "--dual", trained.dual / "model") == 0
    record = json.loads(out.with_name(f"{out.stem}.provenance.json").read_text())
    read = {name: record["inputs"][name]["sha256"] for name in ("joint", "dual")}
    assert read == {"joint": digest(trained.joint / "model"), "dual": digest(trained.dual / "model")}
    found = json.loads(out.read_text())
    assert (found["n_images"], found["n_captions"], found["sampled_images"], found["sampled_captions"]) == (10, 50, 4, 6)
    assert found["sampled_pairs"] == 2 * 10 and [point["n_images"] for point in found["gallery_curve"]] == [5, 20]
    assert found["joint_seconds_extrapolated"] == pytest.approx(found["pair_ms"] / 1e3 * 500)
    parts = found["image_ms"] * 10 + found["caption_ms"] * 50 + found["ranking_ms"]
    assert found["dual_seconds"] == pytest.approx(parts / 1e3)
    assert found["speedup"] == pytest.approx(found["joint_seconds_extrapolated"] / found["dual_seconds"])
    assert found["speedup_low"] <= found["speedup"] <= found["speedup_high"]


def test_a_model_without_matching_head_has_no_joint_scores(trained, command, write_settings, tmp_path, capsys):
    settings, out = write_settings(), tmp_path / "out"
    for name, options, expected in (
        ("score", ["--model", trained.dual / "model"], "no matching head, and so no joint scores"),
        ("speed", ["--joint", trained.dual / "model", "--dual", trained.joint / "model"], "no matching head"),
        ("embed", ["--model", trained.dual / "model", "--split", "nope"], "no image in split nope"),
    ):
        assert command(name, settings, out, *options) == 2
        assert expected in capsys.readouterr().err
    assert not out.exists()


def test_a_joint_model_is_embedded_by_decomposing_it(trained, command, write_settings, tmp_path):
    assert command("embed", write_settings(), tmp_path / "out", "--model", trained.joint / "model") == 0
    found, other = Embeddings.load(tmp_path / "out"), Embeddings.load(trained.embed)
    assert found.images.shape == other.images.shape and found.image_ids == other.image_ids
    assert not np.allclose(found.images, other.images, atol=1e-3), "of its own weights"


def test_a_store_of_other_features_is_refused(trained, tiny, command, write_settings, tmp_path, capsys):
    store = RegionStore(tiny.regions)
    items = ((name, Regions(store[name].features[:, 1:], store[name].boxes, store[name].tags)) for name in store.ids)
    write_regions(tmp_path / "narrow", items, store.feature_width - 1)
    options = ["--model", trained.dual / "model"]
    assert command("embed", write_settings(), tmp_path / "out", *options, features=tmp_path / "narrow") == 2
    assert "numbers a region" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "kind"), [("embed", "dual"), ("score", "joint")])
def test_an_image_that_the_store_lacks_is_said_with_features_and_manifest(
    trained, tiny, command, write_settings, tmp_path, capsys, name, kind
):
    store = RegionStore(tiny.regions)
    write_regions(tmp_path / "one", [(store.ids[0], store[store.ids[0]])], store.feature_width)
    model = getattr(trained, kind) / "model"
    assert command(name, write_settings(), tmp_path / "out", "--model", model, features=tmp_path / "one") == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert "is not in the region store" in said and not (tmp_path / "out").exists()
    assert said.endswith(f"(model {model}, features {tmp_path / 'one'}, manifest {tiny.manifest})")


def test_scenes_of_another_world_are_no_oracle(tiny, tmp_path, capsys):
    raw = tmp_path / "scenes.jsonl"
    raw.write_text("".join((tiny.raw / "scenes.jsonl").read_text().splitlines(keepends=True)[:-1]))
    arguments = ["score-oracle", "--raw-dir", tmp_path, "--manifest", tiny.manifest, "--out", tmp_path / "score"]
    assert main([*map(str, arguments)]) == 2
    assert "its test scenes are not those of" in capsys.readouterr().err
