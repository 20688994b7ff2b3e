"""The record of an experiment: a small JSON file in git, from which tables are made without the experiment's models.

It holds settings with the VERSION of each step, the rank of every query, outcomes of the compositional test and where all
this was made. Ids are kept as a digest: results of the same queries have the same one.
"""

import hashlib
import json
import lzma
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vldeformer.artifact import read_json, write_json
from vldeformer.data.sugarcrepe import SUBSETS
from vldeformer.errors import InputError
from vldeformer.evaluation.compositional_result import TIE, CompositionalResult
from vldeformer.evaluation.measures import Bootstrap
from vldeformer.evaluation.packed_numbers import pack, unpack
from vldeformer.evaluation.record_settings import RECORDS, difference
from vldeformer.evaluation.result import RetrievalResult, read_summary
from vldeformer.retrieval.ranking import Ranks

FORMAT = 1


@dataclass(frozen=True, eq=False)
class ExperimentRecord:
    """One experiment on one data set.

    Attributes:
        settings: what decides its numbers, as ``recorded_settings`` makes it.
        results: one for each protocol. Ids of a record that was read are ``DIGEST:ROW``.
        compositional: outcome of the compositional test. Scores of one that was read are 0 or 1: only their order was kept.
        pair_time: content of pair_time.json.
        trained: code, packages and machine of the training; None: nothing was trained.
        provenance: of the step that wrote the record.

    """

    dataset: str
    experiment: str
    settings: Mapping[str, Any]
    results: tuple[RetrievalResult, ...]
    compositional: CompositionalResult | None
    pair_time: Mapping[str, Any] | None
    trained: Mapping[str, Any] | None
    provenance: Mapping[str, Any]

    @property
    def made(self) -> dict[str, Any]:
        """Commit, whether the tree had uncommitted changes, and the processor: of the training, if there was one."""
        source = self.trained or self.provenance
        code, machine = source.get("code") or {}, source.get("machine") or {}
        return {"commit": code.get("commit"), "dirty": code.get("dirty"), "processor": machine.get("processor")}

    def check(self, wanted: Mapping[str, Any], path: Path) -> None:
        """Raises InputError naming the file and the first setting that is not as ``wanted``."""
        found = difference(wanted, self.settings)
        if found is not None:
            raise InputError(f"{path}: of other settings: {found}; run snakemake, which makes it again")

    def save(self, path: Path) -> None:
        """Write the record. Raises InputError if a rank is above 65,535 or a protocol has more than ranks."""
        train = self.settings.get("train")
        value = {
            "record": FORMAT,
            "dataset": self.dataset,
            "experiment": self.experiment,
            "seed": train.get("seed") if isinstance(train, Mapping) else None,
            "settings": self.settings,
            "results": {result.protocol: _packed_result(result) for result in self.results},
            "compositional": None if self.compositional is None else _packed_test(self.compositional),
            "pair_time": self.pair_time,
            "trained": self.trained,
            "provenance": self.provenance,
        }
        write_json(path, value, seal_it=True)

    @classmethod
    def load(cls, path: Path) -> "ExperimentRecord":
        """Read a record. Raises InputError naming the file if it is none, is of another format or is damaged."""
        value = read_json(path)
        if not is_record(value):
            raise InputError(f"{path}: expected the record of an experiment, got something else; run snakemake to make it again")
        if value["record"] != FORMAT:
            raise InputError(f"{path}: expected a record of format {FORMAT}, got {value['record']!r}; use the code that wrote it")
        try:
            test = value["compositional"]
            return cls(
                value["dataset"],
                value["experiment"],
                value["settings"],
                tuple(_result(one) for one in value["results"].values()),
                None if test is None else _test(test),
                value["pair_time"],
                value["trained"],
                value["provenance"],
            )
        except (KeyError, TypeError, ValueError, AttributeError, lzma.LZMAError) as error:
            raise InputError(f"{path}: a damaged record ({error!r}); take it from git, or remove it and run snakemake") from None


def is_record(value: Any) -> bool:
    """Whether the content of a JSON file is a record."""
    return isinstance(value, dict) and "record" in value and "results" in value


def provenance_in(path: Path) -> Any:
    """Inputs of a record, its settings, and code, machine and time of the training; None: the file is no record."""
    if path.parent.name != RECORDS or path.suffix != ".json" or not path.is_file():
        return None
    value = read_json(path)
    if not is_record(value):
        return None
    return {**value["provenance"], **(value["trained"] or {}), "settings": value["settings"]}


def _digest(*ids: Iterable[str]) -> str:
    return hashlib.sha256(json.dumps([list(one) for one in ids]).encode()).hexdigest()[:16]


def _packed_result(result: RetrievalResult) -> dict[str, Any]:
    what = f"experiment {result.experiment!r}, protocol {result.protocol!r}"
    if result.precisions is not None:
        raise InputError(f"{what}: a record holds ranks and no precisions; leave this result out")
    ranks = {
        "ids": _digest(result.image_ids, result.caption_ids),
        "caption_image_index": pack(result.caption_image_index, f"{what}, rows of images"),
        "i2t": pack(result.ranks.i2t, f"{what}, ranks"),
        "t2i": pack(result.ranks.t2i, f"{what}, ranks"),
    }
    return result.summary() | {"ranks": ranks}


def _result(value: Mapping[str, Any]) -> RetrievalResult:
    names, measures, bootstrap, counts = read_summary(value)
    packed = value["ranks"]
    index, ranks = unpack(packed["caption_image_index"]), Ranks(unpack(packed["i2t"]), unpack(packed["t2i"]))
    if (len(ranks.i2t), len(ranks.t2i)) != counts or len(index) != len(ranks.t2i) or index.max() >= len(ranks.i2t):
        raise ValueError("counts of ranks")
    images, captions = (tuple(f"{packed['ids']}:{row}" for row in range(count)) for count in counts)
    return RetrievalResult(*names, images, captions, index, ranks, measures, bootstrap)


def _packed_test(result: CompositionalResult) -> dict[str, Any]:
    images = {image_id: row for row, image_id in enumerate(dict.fromkeys(result.image_ids))}
    numbers = {
        "subset": [SUBSETS.index(subset) for subset in result.subsets],
        "image": [images[image_id] for image_id in result.image_ids],
        "longer": result.longer,
        "outcome": 1 + np.sign(result.scores[:, 0].astype(float) - result.scores[:, 1]),
    }
    if result.blind is not None:
        ahead = result.blind[:, 0] - result.blind[:, 1]
        order = 1 + np.where(np.abs(ahead) < TIE, 0, np.sign(ahead))
        numbers |= {"blind": order[:, 0], "blind_per_word": order[:, 1]}
    what = f"experiment {result.experiment!r}, compositional test"
    packed = {name: pack(np.asarray(values), what) for name, values in numbers.items()}
    return result.summary() | {"items": {"ids": _digest(result.subsets, result.keys, result.image_ids), **packed}}


def _scores(outcomes: np.ndarray) -> np.ndarray:
    """(N,) outcomes, 2: the first is higher, 1: a tie, 0: the second is higher → (N, 2) scores in that order."""
    return np.stack([outcomes == 2, outcomes == 0], axis=1).astype(np.float32)


def _test(value: Mapping[str, Any]) -> CompositionalResult:
    ids = value["items"]["ids"]
    items = {name: unpack(text) for name, text in value["items"].items() if name != "ids"}
    if {len(numbers) for numbers in items.values()} != {value["n_items"]}:
        raise ValueError("count of items")
    blind = None
    if "blind" in items:
        blind = np.stack([_scores(items[name]).astype(float) for name in ("blind", "blind_per_word")], axis=2)
    return CompositionalResult(
        dataset=value["dataset"],
        experiment=value["experiment"],
        reading=value["reading"],
        subsets=tuple(SUBSETS[number] for number in items["subset"]),
        keys=tuple(f"{ids}:{row}" for row in range(value["n_items"])),
        image_ids=tuple(f"{ids}:{row}" for row in items["image"]),
        longer=items["longer"].astype(bool),
        scores=_scores(items["outcome"]),
        blind=blind,
        left_out=value["n_left_out"],
        bootstrap=Bootstrap(**value["bootstrap"]),
    )
