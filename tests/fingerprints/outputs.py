"""Fingerprints of what steps write."""

import json

import numpy as np
import pandas as pd

from fingerprints.values import array, exact, floats
from vldeformer.evaluation.query_table import TABLE
from vldeformer.stored_digests import REST


def model(folder):
    """Losses and measurements of a training, and some of the matrices of both models that it keeps."""
    from safetensors.torch import load_file

    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    names = ("loss", "lr", "grad_norm", "val_mean_recall", "temperature", "distillation_loss", "mined_dropped")
    figures = {name: floats([line[name] for line in lines if name in line]) for name in names}
    tensors = load_file(folder / "model" / "model.safetensors")
    chosen = [name for name, tensor in sorted(tensors.items()) if tensor.ndim > 1]
    kept = {name: array(tensors[name].numpy()) for name in chosen[:: max(1, len(chosen) // 5)]}
    return {name: values for name, values in figures.items() if values} | {"weights": kept}


def table(path):
    """Columns of a Parquet file: floats within the tolerance, all else exactly."""
    columns = pd.read_parquet(path)
    found = {}
    for name in columns:
        values = [value.tolist() if isinstance(value, np.ndarray) else value for value in columns[name].tolist()]
        found[name] = array(values) if columns[name].dtype.kind == "f" else exact(values)
    return found


def plain(path):
    """A JSON object without the digests of itself and of the table beside it."""
    return {name: value for name, value in json.loads(path.read_text()).items() if name not in (REST, TABLE)}


def result(path):
    """A RESULT.json: its numbers within the tolerance and the table of queries that goes with it."""
    values = plain(path)
    tables = {file.name: table(file) for file in path.parent.glob(f"{path.stem}.*.parquet")}
    return {"values": values} | tables


def store(folder, deviation=1.0):
    """A region store as its reader returns it, features times ``deviation``."""
    from vldeformer.data.parts import open_region_store

    regions = open_region_store(folder)
    images = [regions[image_id] for image_id in regions.ids]
    return {
        "ids": exact(list(regions.ids)),
        "tags": exact([list(image.tags) for image in images]),
        "features": array(np.concatenate([image.features for image in images]) * deviation),
        "boxes": array(np.concatenate([image.boxes for image in images])),
    }


def vectors(folder):
    """A folder of `embed`."""
    read = {name: np.load(folder / f"{name}.npy") for name in ("images", "captions", "caption_image_index")}
    ids = [json.loads((folder / f"{name}.json").read_text()) for name in ("image_ids", "caption_ids")]
    index = exact(read.pop("caption_image_index").tolist())
    return {name: array(value) for name, value in read.items()} | {"index": index, "ids": exact(ids)}


def scores(folder):
    """A folder of `score`."""
    from vldeformer.retrieval.embeddings import Scores

    read = Scores.load(folder)
    return {"scores": array(read.scores), "ids": exact([read.image_ids, read.caption_ids])}


def keys(path):
    """Names in a file of measured times, which differ from run to run."""
    return exact(sorted(plain(path)))
