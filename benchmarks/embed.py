"""Embedding 1,000 images and 5,000 captions beside the same model driven as the released code does, and the machine's ceiling.

    python benchmarks/embed.py --scenes-models artifacts/scenes/*/train/model --out benchmarks/embed.json

Released: captions padded to 35 tokens, tags to 35, regions to 70, each image once a caption, transformers' own layers; a sample
is timed and extrapolated. Ours: ``vldeformer.retrieval.item_vectors``. All take turns in one run, the products that are the
ceiling among them. Floating-point operations are those of useful tokens: two for each weight of a linear layer, and attention's.
"""

import argparse
import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from ceilings import PRECISIONS, best_product, products
from measuring import in_turns, medians, save
from torch import Tensor
from torch.nn.functional import normalize
from vinvl_sized import DATA, FEATURES, SIZES, World, make_backbone, make_world

from vldeformer.data.manifest import Manifest
from vldeformer.evaluation.measures import mean_recall
from vldeformer.inputs.batch import TensorGroup
from vldeformer.models import packed
from vldeformer.models.backbone import Sequence
from vldeformer.models.dual import DualEncoder, decompose
from vldeformer.models.pooling import pool
from vldeformer.models.weights import DESCRIPTION, ModelDescription
from vldeformer.retrieval.item_vectors import embed, encode_captions, encode_images
from vldeformer.retrieval.ranking import exact_ranks
from vldeformer.retrieval.reader import Reader, open_encoder
from vldeformer.runtime import RuntimeSettings, prepare_torch

RELEASED_BATCH = 64


class Released:
    """The model as the released code drives it."""

    def __init__(self, encoder: DualEncoder, world: World, sampled: int) -> None:
        self.backbone, self.layers = encoder.backbone, encoder.backbone.bert.encoder.layer
        rows = np.linspace(0, len(world.manifest.captions) - 1, sampled).round().astype(int)
        self.captions = [world.manifest.captions[row] for row in rows]

    def images(self, reader: Reader) -> np.ndarray:
        """Of each sampled caption its image."""
        ids = [caption.image_id for caption in self.captions]
        return self._vectors(ids, reader.visual.read, self.backbone.visual_sequence, reader)

    def captions_alone(self, reader: Reader) -> np.ndarray:
        """Of the sampled captions."""
        texts = [caption.text for caption in self.captions]
        return self._vectors(texts, reader.text.read, self.backbone.text_sequence, reader)

    def _vectors(
        self,
        items: list[str],
        read: Callable[[list[str]], TensorGroup],
        start: Callable[[Any], Sequence],
        reader: Reader,
    ) -> np.ndarray:
        found = []
        with patch.object(packed, "packs", lambda module: False), reader.inference():
            for first in range(0, len(items), RELEASED_BATCH):
                found.append(self._batch(start(read(items[first : first + RELEASED_BATCH]))).float().numpy())
        return np.concatenate(found)

    def _batch(self, sequence: Sequence) -> Tensor:
        states = sequence.states
        for layer in self.layers:
            states = layer(states, sequence.mask[:, None, None, :])
        return normalize(torch.tanh(pool(Sequence(states, sequence.mask), "mean").float()), dim=-1)


def useful_operations(lengths: np.ndarray, regions: int = 0) -> float:
    """Of sequences with these numbers of tokens, ``regions`` of which are regions."""
    weights = SIZES.layers * (4 * SIZES.hidden**2 + 2 * SIZES.hidden * SIZES.intermediate)
    attention = SIZES.layers * 4 * SIZES.hidden * float((lengths.astype(float) ** 2).sum())
    return 2.0 * weights * lengths.sum() + attention + 2.0 * regions * (FEATURES + 6) * SIZES.hidden


def measure(world: World, given: argparse.Namespace) -> dict[str, Any]:
    """What is saved of the large model."""
    encoder = decompose(make_backbone(), "mean").eval()
    runtimes = {name: RuntimeSettings(device="cpu", threads=given.threads, precision=name, processes=1) for name in PRECISIONS}
    prepare_torch(runtimes["float32"])
    readers = {name: world.reader(runtime) for name, runtime in runtimes.items()}
    text, visual = readers["float32"].text, readers["float32"].visual
    ids, texts = [image.id for image in world.manifest.images], [caption.text for caption in world.manifest.captions]
    released = Released(encoder, world, given.sampled)
    found: dict[str, Any] = {}
    tops: dict[str, list[dict[str, dict[str, float]]]] = {name: [] for name in PRECISIONS}
    contenders: dict[str, Callable[[], object]] = {}

    def keep(name: str, work: Callable[[], object]) -> None:
        def run() -> None:
            found[name] = work()

        contenders[name] = run

    for name, runtime in runtimes.items():
        full = world.reader(runtime, full=True)
        contenders[f"ceiling {name}"] = lambda name=name: tops[name].append(products(name, repeats=5))
        keep(f"images {name}", lambda name=name: encode_images(encoder, ids, readers[name]))
        keep(f"captions {name}", lambda name=name: encode_captions(encoder, texts, readers[name]))
        keep(f"released images {name}", lambda full=full: released.images(full))
        keep(f"released captions {name}", lambda full=full: released.captions_alone(full))
        # Weights are laid out in the first call.
        encode_captions(encoder, texts[:2], readers[name]), encode_images(encoder, ids[:2], readers[name])
    turns = in_turns(contenders, given.repeats)
    seconds = medians(turns)

    tokens = np.array([len(row) for row in text.words.encode(texts, text.most_tokens)])
    read = visual.read(ids)
    regions, lengths = int(read.region_mask.sum()), read.lengths.numpy()
    work = {"images": useful_operations(lengths, regions), "captions": useful_operations(tokens)}
    times = len(texts) / given.sampled
    image_of = {image: row for row, image in enumerate(ids)}
    ceiling = {name: max(map(best_product, each)) for name, each in tops.items()}
    result: dict[str, Any] = {
        "images": len(ids),
        "captions": len(texts),
        "mean_regions": regions / len(ids),
        "mean_tokens": {"image": float(lengths.mean()), "caption": float(tokens.mean())},
        "useful_tflop": {name: 1e-12 * value for name, value in work.items()},
        "ceiling_gflop_per_second": ceiling,
        "released_sampled": given.sampled,
        "turns_seconds": {name: each for name, each in turns.items() if not name.startswith("ceiling")},
    }
    slow = times * (seconds["released images float32"] + seconds["released captions float32"])
    exact = {side: found[f"{side} float32"] for side in ("images", "captions")}
    for name in PRECISIONS:
        own = {side: seconds[f"{side} {name}"] for side in ("images", "captions")}
        total = sum(own.values())
        drawn = [image_of[caption.image_id] for caption in released.captions]
        rows = {"images": drawn, "captions": [world.manifest.captions.index(caption) for caption in released.captions]}
        result[name] = {
            "seconds": total,
            "seconds_of": own,
            "items_per_second": {"images": len(ids) / own["images"], "captions": len(texts) / own["captions"]},
            "gflop_per_second": 1e-9 * sum(work.values()) / total,
            "share_of_ceiling": 1e-9 * sum(work.values()) / total / ceiling[name],
            "share_of_ceiling_of": {side: 1e-9 * work[side] / own[side] / ceiling[name] for side in own},
            "released_seconds_extrapolated": times * (seconds[f"released images {name}"] + seconds[f"released captions {name}"]),
            "times_faster_than_released_float32": slow / total,
            "largest_difference_from_float32": max(float(np.abs(found[f"{side} {name}"] - exact[side]).max()) for side in exact),
            "largest_difference_from_released": max(
                float(np.abs(found[f"{side} {name}"][rows[side]] - found[f"released {side} {name}"]).max()) for side in exact
            ),
        }
        result[name]["times_faster_than_released"] = result[name]["released_seconds_extrapolated"] / total
    return result


def scenes_recalls(models: list[Path]) -> dict[str, Any]:
    """Mean of six recalls of trained decomposed ``scenes`` models in float32 and bfloat16, on packed tokens as of wide models."""
    compared: dict[str, Any] = {}
    runtimes = [RuntimeSettings(device="cpu", threads=1, precision=name, processes=1) for name in PRECISIONS]
    for model in models:
        description = ModelDescription.model_validate_json((model / DESCRIPTION).read_text(encoding="utf-8"))
        journal = model.parent / "journal.jsonl"
        if description.kind != "dual" or not journal.is_file() or not journal.stat().st_size:
            continue  # a joint model, or one that was not trained
        base = model.parents[2] / "base"
        encoder, reader = open_encoder(model, base / "features" / "store", runtimes[0])
        test = Manifest.load(base / "prepare" / "manifest.json").split("test")
        recalls = [mean_recall(exact_ranks(embed(encoder, test, dataclasses.replace(reader, runtime=each)))) for each in runtimes]
        compared[model.parents[1].name] = {"float32": recalls[0], "bfloat16": recalls[1], "difference": recalls[1] - recalls[0]}
        print(f"{model.parents[1].name:24} {recalls[0]:7.3f} {recalls[1]:7.3f}", flush=True)
    return {
        "models": compared,
        "largest_difference": max((abs(each["difference"]) for each in compared.values()), default=None),
    }


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with flickr30k and visual_genome_vocab")
    parser.add_argument("--images", type=int, default=1000, help="images; each has five captions")
    parser.add_argument("--sampled", type=int, default=128, help="captions, and their images, that are driven as released")
    parser.add_argument("--repeats", type=int, default=2, help="turns of each; the median counts")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of torch")
    trained = sorted(Path("artifacts/scenes").glob("*/train/model"))
    parser.add_argument("--scenes-models", type=Path, nargs="*", default=trained, help="models to compare recalls of")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given = parser.parse_args()
    result = measure(make_world(given.data, given.images), given)
    for name in PRECISIONS:
        own = result[name]
        print(
            f"{name:9} {own['seconds']:7.1f} s, {own['times_faster_than_released_float32']:5.2f} times faster than released in "
            f"float32, {own['times_faster_than_released']:5.2f} in its own; {100 * own['share_of_ceiling']:.1f} % of "
            f"{result['ceiling_gflop_per_second'][name]:.0f} GFLOP/s; from released {own['largest_difference_from_released']:.1e}"
        )
    save(given.out, result | {"scenes_recalls": scenes_recalls(given.scenes_models)})


if __name__ == "__main__":
    main()
