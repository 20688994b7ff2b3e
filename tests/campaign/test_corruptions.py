"""Damage to every kind of stored file: it is refused, or nothing changes; flips, cuts, zeros, swaps, by a seed."""

import json
import random
import shutil
from collections import Counter

import numpy as np
import pytest

from vldeformer.cli import main
from vldeformer.data.manifest import Manifest
from vldeformer.data.regions import RegionStore
from vldeformer.errors import InputError
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.weights import load_model
from vldeformer.negatives.stored import read_hard_texts
from vldeformer.project.verification import faults_below
from vldeformer.report.journals import read_journal
from vldeformer.retrieval.embeddings import Embeddings, Scores

TRIES = 340
DAMAGES = ("flip", "cut", "zeros", "swap", "grow")


def damaged(content, kind, drawn):
    """Bytes that differ from ``content``."""
    changed = bytearray(content)
    place = drawn.randrange(len(changed))
    if kind == "flip":
        changed[place] ^= 1 << drawn.randrange(8)
    elif kind == "cut":
        del changed[place:]
    elif kind == "zeros":
        end = min(len(changed), place + 64)
        changed[place:end] = bytes(end - place)
    elif kind == "swap":
        half = len(changed) // 2
        changed = changed[half:] + changed[:half]
    else:
        changed += changed[: place + 1]
    return bytes(changed)


def read_regions(folder):
    store = RegionStore(folder)
    return [(image_id, store[image_id].features.tobytes(), store[image_id].tags) for image_id in store.ids]


def read_model(folder):
    model, description, words = load_model(folder)
    return description, {name: tensor.numpy().tobytes() for name, tensor in model.state_dict().items()}, words.tokenizer.to_str()


def read_vectors(folder):
    found = Embeddings.load(folder)
    return (
        found.image_ids,
        found.caption_ids,
        found.images.tobytes(),
        found.captions.tobytes(),
        found.caption_image_index.tobytes(),
    )


def read_scores(folder):
    found = Scores.load(folder)
    return found.image_ids, found.caption_ids, found.scores.tobytes(), found.caption_image_index.tobytes()


def read_result(folder):
    found = RetrievalResult.load(folder / "result.json")
    return found.summary(), found.ranks.i2t.tobytes(), found.ranks.t2i.tobytes(), found.image_ids, found.caption_ids


@pytest.fixture(scope="module")
def stored(trained, tiny, tmp_path_factory):
    """Kind → a folder of its files and what reads them all."""
    root = tmp_path_factory.mktemp("stored")
    out = root / "result" / "result.json"
    embed = trained.embed
    given = ["--embeddings", embed, "--protocol", "all", "--dataset", "tiny", "--experiment", "dual", "--out", out]
    assert main(["evaluate", *map(str, given)]) == 0
    sources = {
        "prepare": (tiny.prepare, lambda folder: Manifest.load(folder / "manifest.json").digest),
        "regions": (tiny.regions, read_regions),
        "tokenizer": (None, lambda folder: WordPieces.load(folder / "tokenizer.json").tokenizer.to_str()),
        "model": (trained.dual / "model", read_model),
        "journal": (trained.dual, lambda folder: read_journal(folder / "journal.jsonl")),
        "embeddings": (embed, read_vectors),
        "scores": (trained.score, read_scores),
        "negatives": (trained.negatives, read_hard_texts),
        "result": (out.parent, read_result),
    }
    kinds = {}
    for kind, (source, read) in sources.items():
        folder = root / "kinds" / kind
        if source is None:
            folder.mkdir(parents=True)
            for path in (tiny.tokenizer, tiny.tokenizer.with_name("tokenizer.provenance.json")):
                shutil.copy(path, folder)
        else:
            shutil.copytree(source, folder)
        kinds[kind] = folder, read
    return kinds


def test_damage_is_refused_or_changes_nothing(stored, capsys):
    drawn, tried, wrong = random.Random(21), Counter(), []
    whole = {kind: read(folder) for kind, (folder, read) in stored.items()}
    for number in range(TRIES):
        kind = list(stored)[number % len(stored)]
        folder, read = stored[kind]
        path = drawn.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
        damage, content = DAMAGES[number // len(stored) % len(DAMAGES)], path.read_bytes()
        changed = damaged(content, damage, drawn)
        if changed == content:
            continue
        path.write_bytes(changed)
        tried[kind] += 1
        try:
            same = read(folder) == whole[kind]
        except InputError as error:
            same = "\n" not in str(error)
        except Exception as error:
            same = False
            wrong.append((kind, damage, path.name, repr(error)))
        if not same:
            wrong.append((kind, damage, path.name))
        path.write_bytes(content)
    with capsys.disabled():
        print("\n" + "\n".join(f"{kind}: {number} tried" for kind, number in tried.items()), f"; {len(wrong)} wrong")
    assert sum(tried.values()) >= 300 and not wrong


def test_a_flipped_bit_of_weights_is_refused_and_found(stored):
    folder, _ = stored["model"]
    path, drawn = folder / "model.safetensors", random.Random(60)
    content = path.read_bytes()
    for _ in range(60):
        path.write_bytes(damaged(content, "flip", drawn))
        with pytest.raises(InputError):
            load_model(folder)
        assert [fault for fault, _ in faults_below(folder)] == [True]
    path.write_bytes(content)
    load_model(folder)


def test_two_exchanged_rows_of_vectors_are_refused(stored):
    folder, _ = stored["embeddings"]
    vectors = np.load(folder / "images.npy")
    content = (folder / "images.npy").read_bytes()
    vectors[[0, 1]] = vectors[[1, 0]]
    np.save(folder / "images.npy", vectors)
    with pytest.raises(InputError, match=r"images\.npy: its content is not what was written here"):
        Embeddings.load(folder)
    (folder / "images.npy").write_bytes(content)


def test_by_the_command_line(stored, tmp_path, capsys):
    """30 damages of what `evaluate` reads: exit code 2 and one line, or the same result."""
    folder, _ = stored["embeddings"]
    drawn, results = random.Random(5), set()
    for number in range(31):
        path = drawn.choice([path for path in sorted(folder.iterdir()) if path.name not in ("provenance.json",)])
        content = path.read_bytes()
        if number:
            path.write_bytes(damaged(content, DAMAGES[number % 5], drawn))
        given = [
            "--embeddings",
            folder,
            "--protocol",
            "test",
            "--dataset",
            "t",
            "--experiment",
            "e",
            "--out",
            tmp_path / "r.json",
        ]
        code, said = main(["evaluate", *map(str, given)]), capsys.readouterr().err
        path.write_bytes(content)
        if code == 0:
            results.add(json.dumps(json.loads((tmp_path / "r.json").read_text()), sort_keys=True))
        else:
            assert code == 2 and said.count("\n") == 1
    assert len(results) == 1
