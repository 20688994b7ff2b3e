"""A tiny VinVL download with random numbers in the real layout: what tests read instead of 50 GB.

As a script: ``python tests/vinvl_files.py FOLDER`` writes ``model_0060000/`` (features and predictions), ``coco_ir/``
(captions and keys) and ``checkpoint/`` (a retrieval-tuned Oscar+), the layout of a real download.
"""

import base64
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FEATURES = 2048
TAGS = [*"man woman dog cat ball street grass tree sky hat bike table cup child".split(), "traffic light"]
WORDS = "a the man woman dog cat ball on in of red blue green grass street sitting standing with and holding bus tree sky".split()
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, "##s", "##ing", "hat", "bike", "table", "cup", "child", "."]


@dataclass(frozen=True, eq=False)
class Detected:
    """What the written files say of one image: features (R, 2048), boxes (R, 6) = x1 y1 x2 y2 w h, both float32."""

    id: str
    features: np.ndarray
    boxes: np.ndarray
    tags: tuple[str, ...]
    bare: bool = False

    @property
    def base64(self):
        return base64.b64encode(np.concatenate([self.features, self.boxes], axis=1).astype("<f4").tobytes()).decode()

    @property
    def feature_row(self):
        return f"{self.id}\t{len(self.boxes)}\t{self.base64}"

    @property
    def prediction_row(self):
        # A bare list of objects stands for an image of 600 x 800.
        height, width = (600, 800) if self.bare else (480, 640)
        rects = self.boxes[:, :4].astype(float) * [width, height, width, height]
        objects = [{"class": tag, "rect": list(rect), "conf": 0.5} for tag, rect in zip(self.tags, rects, strict=True)]
        return f"{self.id}\t" + json.dumps(objects if self.bare else {"image_h": height, "image_w": width, "objects": objects})


def detect(image_id, boxes, seed=0, bare=False):
    """Random boxes, features and tags of one image."""
    generator = np.random.default_rng([seed, boxes, *image_id.encode()])
    corners = np.sort(generator.random((boxes, 2, 2)), axis=1).reshape(boxes, 4)
    sides = corners[:, 2:] - corners[:, :2]
    features = np.maximum(generator.normal(size=(boxes, FEATURES)), 0)
    tags = tuple(str(tag) for tag in generator.choice(TAGS, boxes))
    return Detected(image_id, features.astype(np.float32), np.hstack([corners, sides]).astype(np.float32), tags, bare)


def write_rows(path, rows, lineidx):
    lines = [f"{row}\n".encode() for row in rows]
    path.write_bytes(b"".join(lines))
    if lineidx:
        starts = np.cumsum([0, *map(len, lines)])[:-1]
        path.with_suffix(".lineidx").write_text("".join(f"{start}\n" for start in starts))


def write_features(folder, images, lineidx=True, predictions_order=None):
    """``features.tsv``, ``predictions.tsv`` and ``imageid2idx.json`` of Detected images; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / "features.tsv", (image.feature_row for image in images), lineidx)
    ordered = images if predictions_order is None else [images[row] for row in predictions_order]
    write_rows(folder / "predictions.tsv", (image.prediction_row for image in ordered), lineidx)
    (folder / "imageid2idx.json").write_text(json.dumps({image.id: row for row, image in enumerate(images)}))
    return folder


def write_captions(folder, captions, split="test", as_json=True):
    """``{split}_captions.pt`` and ``{split}_img_keys.tsv`` of {int id: list of captions}; returns both paths."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    pt, keys = folder / f"{split}_captions.pt", folder / f"{split}_img_keys.tsv"
    torch.save({key: json.dumps(texts) if as_json else texts for key, texts in captions.items()}, pt)
    keys.write_text("".join(f"{key}\n" for key in captions))
    return pt, keys


def write_checkpoint(folder, hidden=48, layers=2, heads=4, head="retrieval", image_norm=True, positions=128, seed=0):
    """``pytorch_model.bin``, ``config.json``, ``vocab.txt``; ``head`` is retrieval, pretraining or none. Returns the folder."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    kind = "faster_r-cnn" if head == "pretraining" else "frcnn"  # as the scripts of the one and the other write it
    config = {
        "attention_probs_dropout_prob": 0.1, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": hidden,
        "img_feature_dim": FEATURES + 6, "img_feature_type": kind, "img_layer_norm_eps": 1e-12, "initializer_range": 0.02,
        "intermediate_size": 4 * hidden, "layer_norm_eps": 1e-12, "loss_type": "sfmx", "max_position_embeddings": positions,
        "num_attention_heads": heads, "num_contrast_classes": 3, "num_hidden_layers": layers, "num_labels": 2,
        "type_vocab_size": 2, "use_img_layernorm": int(image_norm), "vocab_size": len(PIECES),
    }  # fmt: skip
    generator = torch.Generator().manual_seed(seed)
    shapes = checkpoint_shapes(hidden, layers, len(PIECES), positions, head, image_norm)
    torch.save(
        {name: torch.randn(shape, generator=generator) * 0.1 for name, shape in shapes.items()}, folder / "pytorch_model.bin"
    )
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    return folder


def checkpoint_shapes(hidden, layers, words, positions, head, image_norm):
    """Name → shape of every tensor of an Oscar+ checkpoint."""

    def linear(name, out, given):
        return {f"{name}.weight": (out, given), f"{name}.bias": (out,)}

    def norm(name):
        return {f"{name}.weight": (hidden,), f"{name}.bias": (hidden,)}

    shapes = {
        "bert.embeddings.word_embeddings.weight": (words, hidden),
        "bert.embeddings.position_embeddings.weight": (positions, hidden),
        "bert.embeddings.token_type_embeddings.weight": (2, hidden),
    } | norm("bert.embeddings.LayerNorm")
    for layer in range(layers):
        start = f"bert.encoder.layer.{layer}"
        for name in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            shapes |= linear(f"{start}.{name}", hidden, hidden)
        shapes |= norm(f"{start}.attention.output.LayerNorm") | linear(f"{start}.intermediate.dense", 4 * hidden, hidden)
        shapes |= linear(f"{start}.output.dense", hidden, 4 * hidden) | norm(f"{start}.output.LayerNorm")
    shapes |= linear("bert.pooler.dense", hidden, hidden) | linear("bert.img_embedding", hidden, FEATURES + 6)
    if image_norm:
        shapes |= norm("bert.LayerNorm")
    if head == "retrieval":
        shapes |= linear("classifier", 2, hidden)
    if head == "pretraining":
        shapes |= {"cls.predictions.bias": (words,), "cls.predictions.decoder.weight": (words, hidden)}
        shapes |= linear("cls.predictions.transform.dense", hidden, hidden) | norm("cls.predictions.transform.LayerNorm")
        shapes |= linear("cls.seq_relationship", 3, hidden)
    return shapes


def write_download(folder, images=6, boxes=(10, 7, 75, 3), hidden=48, layers=2, seed=0):
    """All of it; image n has ``boxes[n % len(boxes)]`` boxes and five captions, the first six. Returns the Detected images."""
    generator = np.random.default_rng(seed)
    ids = [int(number) for number in generator.choice(90_000, images, replace=False) + 1000]
    detected = [detect(str(image_id), boxes[row % len(boxes)], seed, bare=row % 4 == 3) for row, image_id in enumerate(ids)]
    write_features(folder / "model_0060000", detected)
    captions = {
        image_id: [" ".join(generator.choice(WORDS, generator.integers(3, 12))) for _ in range(6 if row == 0 else 5)]
        for row, image_id in enumerate(ids)
    }
    write_captions(folder / "coco_ir", captions)
    write_checkpoint(folder / "checkpoint", hidden=hidden, layers=layers, seed=seed)
    return detected


if __name__ == "__main__":
    write_download(Path(sys.argv[1]))
