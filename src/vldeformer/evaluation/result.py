"""The outcome of one evaluation, measures and per-query ranks; the only thing the report reads of a model's quality."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vldeformer.artifact import read_json, write_json
from vldeformer.errors import InputError
from vldeformer.evaluation.measures import PRECISIONS, Bootstrap, Estimate, Measures, Precisions
from vldeformer.evaluation.query_table import columns_of, write_columns
from vldeformer.retrieval.ranking import Ranks

DIRECTIONS = ("i2t", "t2i")


@dataclass(frozen=True, eq=False)
class RetrievalResult:
    """One experiment under one protocol. caption_image_index (M,) int64: the image row of each caption.

    The images and captions are the queries; the protocol says what the gallery is and what else is measured.
    """

    dataset: str
    experiment: str
    protocol: str
    image_ids: tuple[str, ...]
    caption_ids: tuple[str, ...]
    caption_image_index: np.ndarray
    ranks: Ranks
    measures: Measures
    bootstrap: Bootstrap
    precisions: Precisions | None = None

    @property
    def i2t(self) -> dict[str, Estimate]:
        """R@1, R@5, R@10 in percent and median_rank with intervals; images are the queries."""
        return self.measures.i2t

    @property
    def t2i(self) -> dict[str, Estimate]:
        """The same where captions are the queries."""
        return self.measures.t2i

    @property
    def mean_recall(self) -> Estimate:
        """Mean of the six recalls, in percent."""
        return self.measures.mean_recall

    @property
    def rsum(self) -> float:
        """Sum of the six recalls, in percent."""
        return self.measures.rsum

    def summary(self) -> dict[str, Any]:
        """The measures as plain values: what RESULT.json holds. No time, date or path."""
        return {
            "dataset": self.dataset,
            "experiment": self.experiment,
            "protocol": self.protocol,
            "n_images": len(self.image_ids),
            "n_captions": len(self.caption_ids),
            "i2t": _plain(self.i2t),
            "t2i": _plain(self.t2i),
            "mean_recall": self.mean_recall.value,
            "rsum": self.rsum,
            "intervals": {"mean_recall": [self.mean_recall.low, self.mean_recall.high]},
            "bootstrap": asdict(self.bootstrap),
        }

    def save(self, path: Path) -> None:
        """Write the measures to ``path`` (.json) and those of every query beside it, in ``ranks_path(path)``."""
        captions_images = [self.image_ids[row] for row in self.caption_image_index]
        columns = {
            "direction": ["i2t"] * len(self.image_ids) + ["t2i"] * len(self.caption_ids),
            "query_id": [*self.image_ids, *self.caption_ids],
            "image_id": [*self.image_ids, *captions_images],
            "rank": np.concatenate([self.ranks.i2t, self.ranks.t2i]),
        }
        if self.precisions is not None:
            columns |= dict(zip(PRECISIONS, np.concatenate([self.precisions.i2t, self.precisions.t2i]).T, strict=True))
        table = write_columns(ranks_path(path), columns)
        write_json(path, self.summary() | table, seal_it=True)

    @classmethod
    def load(cls, path: Path) -> "RetrievalResult":
        """Read what ``save`` wrote. Raises InputError naming the file that is missing, cut short or does not fit the other."""
        value = read_json(path)
        try:
            names, measures, bootstrap, expected = read_summary(value)
        except (KeyError, TypeError) as error:
            raise InputError(
                f"{path}: expected a result written by `vldeformer evaluate`; {error!r} is missing or wrong"
            ) from None
        image_ids, caption_ids, index, ranks, precisions = _read_ranks(ranks_path(path), value)
        if (len(image_ids), len(caption_ids)) != expected:
            found = f"{len(image_ids)} images and {len(caption_ids)} captions"
            raise InputError(
                f"{ranks_path(path)}: ranks of {found}, but {path.name} is of {expected[0]} and {expected[1]}; evaluate again"
            )
        return cls(*names, image_ids, caption_ids, index, ranks, measures, bootstrap, precisions)


def read_summary(value: Any) -> tuple[tuple[str, str, str], Measures, Bootstrap, tuple[int, int]]:
    """Dataset, experiment and protocol, measures, resampling, counts of images and captions, from what ``summary`` gave.

    Raises KeyError or TypeError if something is missing or wrong.
    """
    mean_recall = Estimate(value["mean_recall"], *value["intervals"]["mean_recall"])
    measures = Measures(_estimates(value["i2t"]), _estimates(value["t2i"]), mean_recall)
    names = (value["dataset"], value["experiment"], value["protocol"])
    return names, measures, Bootstrap(**value["bootstrap"]), (value["n_images"], value["n_captions"])


def ranks_path(path: Path) -> Path:
    """Where the ranks of the result file ``path`` stand: subset.json → subset.ranks.parquet."""
    return path.with_name(f"{path.stem}.ranks.parquet")


def _plain(estimates: dict[str, Estimate]) -> dict[str, Any]:
    values: dict[str, Any] = {name: estimate.value for name, estimate in estimates.items()}
    return values | {"intervals": {name: [estimate.low, estimate.high] for name, estimate in estimates.items()}}


def _estimates(value: dict[str, Any]) -> dict[str, Estimate]:
    return {name: Estimate(value[name], low, high) for name, (low, high) in value["intervals"].items()}


def _read_ranks(
    path: Path, result: dict[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray, Ranks, Precisions | None]:
    with columns_of(path, result, "per-query ranks", "evaluate again") as table:
        directions, queries, images = (table[name].to_pylist() for name in ("direction", "query_id", "image_id"))
        ranks = table["rank"].to_numpy()
    n_images = directions.count("i2t")
    rows = {image_id: row for row, image_id in enumerate(queries[:n_images])}
    try:
        index = np.array([rows[image_id] for image_id in images[n_images:]], dtype=np.int64)
    except KeyError as error:
        raise InputError(f"{path}: a caption belongs to image {error}, which is not among the queries; evaluate again") from None
    precisions = None
    if set(PRECISIONS) <= set(table.column_names):
        values = np.stack([table[name].to_numpy() for name in PRECISIONS], axis=1)
        precisions = Precisions(values[:n_images], values[n_images:])
    return tuple(queries[:n_images]), tuple(queries[n_images:]), index, Ranks(ranks[:n_images], ranks[n_images:]), precisions
