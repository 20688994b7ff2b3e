"""Composed negatives on disk: readable, counted, and the same every time."""

import json

import pandas as pd
import pytest

from vldeformer.content_digest import digest
from vldeformer.errors import InputError
from vldeformer.negatives.lexicon import words_of
from vldeformer.negatives.relations import RELATION_OF
from vldeformer.negatives.stored import read_hard_images, read_hard_texts

RELATION_WORDS = {word for phrase in RELATION_OF for word in phrase.split()}


def test_every_text_is_a_changed_caption_of_the_training_split(trained, manifest):
    captions = {caption.id: caption for caption in manifest.split("train").captions}
    table = pd.read_parquet(trained.negatives / "text.parquet")
    for row in table.itertuples():
        before, after = words_of(captions[row.caption_id].text), words_of(row.text)
        assert before != after and row.places.tolist()
        if row.kind != "relation":
            changed = [place for place, (a, b) in enumerate(zip(before, after, strict=True)) if a != b and {a, b} != {"a", "an"}]
            assert changed == row.places.tolist() and [after[place] for place in changed] == row.words.tolist()
        else:
            assert all(word in row.text.lower() for word in row.words)
    summary = json.loads((trained.negatives / "summary.json").read_text())
    assert summary["texts"] == len(table) > 50 and summary["texts"] + summary["texts_not_composed"] == 2 * len(captions)
    assert summary["texts_of_kind"] == table["kind"].value_counts().to_dict()
    assert summary["blind_accuracy"].keys() == {"all", *table["kind"]}
    assert read_hard_texts(trained.negatives).keys() <= captions.keys()


def test_every_image_keeps_its_number_of_regions(trained, manifest, region_store):
    found = read_hard_images(trained.negatives)
    assert len(found) > 10 and found.keys() <= {image.id for image in manifest.split("train").images}
    for image_id, variants in found.items():
        own = min(len(region_store[image_id].boxes), 6)
        for one in variants:
            assert one.partner_id != one.image_id == image_id and one.partner_id.startswith("train-")
            assert len(one.kept) + len(one.taken) == own and one.taken
            assert max((*one.kept, 0)) < own and max(one.taken) < len(region_store[one.partner_id].boxes)


@pytest.mark.slow
def test_again_and_with_patches(trained, command, write_settings, tmp_path, tiny):
    assert command("negatives", write_settings(), tmp_path / "again") == 0
    assert digest(tmp_path / "again") == digest(trained.negatives)
    assert command("negatives", write_settings(backbone={"kind": "vilt"}), tmp_path / "patches", features=tiny.pixels) == 0
    images = read_hard_images(tmp_path / "patches")
    assert len(images) == 16
    assert all(sorted(one.kept + one.taken) == list(range(9)) for variants in images.values() for one in variants)


@pytest.mark.slow
def test_near_partners_by_features_or_by_embeddings(trained, command, write_settings, tmp_path, tiny, capsys):
    near = write_settings(negatives={"image_partner": "near"})
    assert command("negatives", near, tmp_path / "features") == 0
    assert command("embed", write_settings(), tmp_path / "train", "--model", trained.dual / "model", "--split", "train") == 0
    assert command("negatives", near, tmp_path / "vectors", "--embeddings", tmp_path / "train") == 0
    pixels = write_settings(negatives={"image_partner": "near"}, backbone={"kind": "vilt"})
    assert command("negatives", pixels, tmp_path / "patches", "--embeddings", tmp_path / "train", features=tiny.pixels) == 0
    partners = [read_hard_images(tmp_path / name) for name in ("features", "vectors", "patches")]
    assert all(partners) and partners[0] != partners[1]
    assert command("negatives", pixels, tmp_path / "none", features=tiny.pixels) == 2 and not (tmp_path / "none").exists()
    assert "give --embeddings" in capsys.readouterr().err
    assert command("negatives", near, tmp_path / "none", "--embeddings", trained.embed) == 2
    assert "is not among its" in capsys.readouterr().err


def test_only_the_first_images_take_part(command, write_settings, tmp_path, manifest):
    assert command("negatives", write_settings(negatives={"images": 6}), tmp_path / "few") == 0
    few = manifest.split("train").first(6)
    ids = {image.id for image in few.images}
    images = read_hard_images(tmp_path / "few")
    assert images and {one.partner_id for variants in images.values() for one in variants} | images.keys() <= ids
    assert read_hard_texts(tmp_path / "few").keys() <= {caption.id for caption in few.captions}
    words = {word for caption in few.captions for word in words_of(caption.text)}
    came = pd.read_parquet(tmp_path / "few" / "text.parquet")["words"].explode().dropna()
    assert {word for phrase in came for word in phrase.split()} - words <= RELATION_WORDS


def test_a_kind_that_comes_to_nothing_is_told(command, write_settings, tmp_path, capsys):
    assert command("negatives", write_settings(negatives={"text_kinds": {"attribute": 1}, "images": 2}), tmp_path / "few") == 0
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("vldeformer: ")]
    assert said == ["vldeformer: composed 0 of 10 captions; none of kind attribute"]
    assert read_hard_texts(tmp_path / "few") == {}
    # Of the tiny world's swapped captions none is surely false, so that all are dropped.
    assert command("negatives", write_settings(), tmp_path / "all") == 0
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("vldeformer: ")]
    assert said == [f"vldeformer: composed {len(read_hard_texts(tmp_path / 'all'))} of 80 captions; none of kind swap"]
    summary = json.loads((tmp_path / "all" / "summary.json").read_text())
    assert summary["false_texts_dropped"]["swap"] > 0 and summary["texts_of_kind"].keys() == {"noun", "attribute", "relation"}
    others = write_settings(negatives={"text_kinds": {"noun": 1, "attribute": 1, "relation": 1}})
    assert command("negatives", others, tmp_path / "others") == 0
    assert "none of kind" not in capsys.readouterr().err


def test_pixels_that_are_not_there_are_named(command, write_settings, tmp_path, tiny, capsys):
    pixels = write_settings(backbone={"kind": "vilt"})
    for features in (tmp_path / "nowhere", tiny.regions):
        assert command("negatives", pixels, tmp_path / "out", features=features) == 2 and not (tmp_path / "out").exists()
        assert f"{features}: expected a pixel store" in capsys.readouterr().err
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs" / "photographs.json").touch()
    assert command("negatives", pixels, tmp_path / "out", features=tmp_path / "photographs") == 2
    assert "this model reads squares; prepare them with photographs: squares, image_size: " in capsys.readouterr().err


def test_missing_damaged_and_foreign_negatives_are_named(tmp_path):
    with pytest.raises(InputError) as caught:
        read_hard_images(tmp_path)
    path = tmp_path / "image.parquet"
    assert str(caught.value) == f"{path}: expected composed negatives, found none; run `vldeformer negatives`"
    (tmp_path / "text.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"text\.parquet: expected composed negatives, it is cut short or no Parquet; run"):
        read_hard_texts(tmp_path)
    pd.DataFrame({"image_id": ["a"], "kept": [[0]]}).to_parquet(path)
    with pytest.raises(InputError, match=r"image\.parquet: expected composed negatives, it has no column partner_id; run"):
        read_hard_images(tmp_path)
