"""Composed negatives on disk: readable, counted, and the same every time."""

import json

import pandas as pd
import pytest

from vldeformer.artifact import digest
from vldeformer.errors import InputError
from vldeformer.inputs.lexicon import words_of
from vldeformer.stages.negatives import read_hard_images, read_hard_texts


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


def test_again_and_with_patches(trained, command, write_settings, tmp_path, tiny):
    assert command("negatives", write_settings(), tmp_path / "again") == 0
    assert digest(tmp_path / "again") == digest(trained.negatives)
    assert command("negatives", write_settings(backbone={"kind": "vilt"}), tmp_path / "patches", visual=tiny.pixels) == 0
    images = read_hard_images(tmp_path / "patches")
    assert len(images) == 16
    assert all(sorted(one.kept + one.taken) == list(range(9)) for variants in images.values() for one in variants)


def test_near_partners_by_features_or_by_embeddings(trained, command, write_settings, tmp_path, tiny, capsys):
    near = write_settings(negatives={"image_partner": "near"})
    assert command("negatives", near, tmp_path / "features") == 0
    assert command("embed", write_settings(), tmp_path / "train", "--model", trained.dual / "model", "--split", "train") == 0
    assert command("negatives", near, tmp_path / "vectors", "--embeddings", tmp_path / "train") == 0
    pixels = write_settings(negatives={"image_partner": "near"}, backbone={"kind": "vilt"})
    assert command("negatives", pixels, tmp_path / "patches", "--embeddings", tmp_path / "train", visual=tiny.pixels) == 0
    partners = [read_hard_images(tmp_path / name) for name in ("features", "vectors", "patches")]
    assert all(partners) and partners[0] != partners[1]
    assert command("negatives", pixels, tmp_path / "none", visual=tiny.pixels) == 2 and not (tmp_path / "none").exists()
    assert "give --embeddings" in capsys.readouterr().err
    assert command("negatives", near, tmp_path / "none", "--embeddings", trained.embed) == 2
    assert "is not among its" in capsys.readouterr().err


def test_missing_and_damaged_negatives_are_named(tmp_path):
    with pytest.raises(InputError, match=r"image\.parquet: expected composed negatives"):
        read_hard_images(tmp_path)
    (tmp_path / "text.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"text\.parquet: expected composed negatives"):
        read_hard_texts(tmp_path)
