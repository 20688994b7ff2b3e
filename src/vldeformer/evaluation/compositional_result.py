"""The outcome of a compositional test: which of two captions a model prefers, item by item, and how often it is right.

A tie counts against the model, as in SugarCrepe. Intervals and paired differences are of the images, as those of the recalls:
an image is drawn with all its items. The report reads this; it needs no torch.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from vldeformer.artifact import read_json, write_json
from vldeformer.data.sugarcrepe import SUBSETS
from vldeformer.errors import InputError
from vldeformer.evaluation.measures import Bootstrap, Estimate
from vldeformer.evaluation.over_seeds import SeedEstimate, over_seeds
from vldeformer.evaluation.query_table import columns_of, write_columns

MEAN = "mean"
GROUPS = {
    **{way: [name for name in SUBSETS if name.startswith(way)] for way in ("replace", "swap", "add")},
    **{what: [name for name in SUBSETS if name.endswith(what[:3])] for what in ("object", "attribute", "relation")},
}
"""Kind of change, or of what is changed → its subsets."""
BLIND = ("blind_true", "blind_true_per_word", "blind_negative", "blind_negative_per_word")
TIE = 1e-9
"""Log-probabilities of the blind baseline that differ by less are equal but for the order of their sums."""


@dataclass(frozen=True, eq=False)
class CompositionalResult:
    """One model on N items. ``reading``: the model reads image and caption jointly, or each alone (dual).

    subsets, keys, image_ids, longer: of each item; longer (N,) bool: its negative has more words. scores (N, 2) float32: of the
    true caption and of the negative. blind (N, 2, 2) float64: log-probability in all and a word, of the two captions; None
    without captions to learn from. left_out: items whose image is not of the split.
    """

    dataset: str
    experiment: str
    reading: Literal["joint", "dual"]
    subsets: tuple[str, ...]
    keys: tuple[str, ...]
    image_ids: tuple[str, ...]
    longer: np.ndarray
    scores: np.ndarray
    blind: np.ndarray | None
    left_out: int
    bootstrap: Bootstrap

    def accuracies(self) -> dict[str, Estimate]:
        """Percent right of each subset that has items, and of ``GROUPS`` and ``mean``, means over subsets."""
        measured = _measured(self, self.bootstrap)
        return {name: _estimate(values, self.bootstrap, self._images_of(name)) for name, values in measured.items()}

    def _images_of(self, name: str) -> int:
        members = {**GROUPS, MEAN: list(SUBSETS)}.get(name, [name])
        return len({image_id for image_id, subset in zip(self.image_ids, self.subsets, strict=True) if subset in members})

    def summary(self) -> dict[str, Any]:
        """The measures as plain values: what RESULT.json holds. No time, date or path."""
        accuracies = {name: _plain(estimate) for name, estimate in self.accuracies().items()}
        return {
            "dataset": self.dataset,
            "experiment": self.experiment,
            "reading": self.reading,
            "n_items": len(self.keys),
            "n_images": len(set(self.image_ids)),
            "n_left_out": self.left_out,
            "subsets": {name: accuracies[name] | self.described(name) for name in SUBSETS if name in accuracies},
            "groups": {name: accuracies[name] for name in GROUPS if name in accuracies},
            MEAN: accuracies[MEAN],
            "bootstrap": asdict(self.bootstrap),
        }

    def described(self, subset: str) -> dict[str, Any]:
        """Tie rate, sizes and the blind baseline of a subset: what no resampling is needed for."""
        rows = np.flatnonzero(np.array(self.subsets) == subset)
        ties = self.scores[rows, 0] == self.scores[rows, 1]
        blind: dict[str, float | None] = dict.fromkeys(("blind", "blind_ties", "blind_per_word"))
        if self.blind is not None:
            ahead = self.blind[rows, 0] - self.blind[rows, 1]
            tied = np.abs(ahead) < TIE
            total, per_word = (100 * np.where(tied, 0.5, ahead > 0)).mean(axis=0)  # a tie is a guess
            blind = {"blind": float(total), "blind_ties": float(100 * tied[:, 0].mean()), "blind_per_word": float(per_word)}
        return {
            "tie_rate": float(100 * ties.mean()),
            "n_items": len(rows),
            "n_images": len({self.image_ids[row] for row in rows}),
            "longer": float(100 * self.longer[rows].mean()),
            **blind,
        }

    def save(self, path: Path) -> None:
        """Write the measures to ``path`` (.json) and the items beside it, in ``items_path(path)``."""
        columns: dict[str, Any] = {"subset": self.subsets, "key": self.keys, "image_id": self.image_ids, "longer": self.longer}
        columns |= {"true_score": self.scores[:, 0], "negative_score": self.scores[:, 1]}
        for number, name in enumerate(BLIND):
            columns[name] = pa.nulls(len(self.keys), pa.float64()) if self.blind is None else self.blind.reshape(-1, 4)[:, number]
        table = write_columns(items_path(path), columns)
        write_json(path, self.summary() | table, seal_it=True)

    @classmethod
    def load(cls, path: Path) -> "CompositionalResult":
        """Read what ``save`` wrote. Raises InputError naming the file that is missing, cut short or does not fit the other."""
        value = read_json(path)
        try:
            bootstrap = Bootstrap(**value["bootstrap"])
            names = (value["dataset"], value["experiment"], value["reading"])
            expected, left_out = value["n_items"], value["n_left_out"]
        except (KeyError, TypeError) as error:
            raise InputError(f"{path}: expected a result of `vldeformer compositional`; {error!r} is missing or wrong") from None
        table_path = items_path(path)
        with columns_of(table_path, value, "items' scores", "run `vldeformer compositional` again") as table:
            subsets, keys, image_ids = (tuple(table[name].to_pylist()) for name in ("subset", "key", "image_id"))
            scores = np.stack([table[name].to_numpy() for name in ("true_score", "negative_score")], axis=1)
            longer, blind = table["longer"].to_numpy(), np.stack([table[name].to_numpy() for name in BLIND], axis=1)
        if len(keys) != expected or not set(subsets) <= set(SUBSETS):
            raise InputError(
                f"{table_path}: {len(keys)} items, but {path.name} is of {expected}; run `vldeformer compositional` again"
            )
        table_of_blind = None if np.isnan(blind).any() else blind.reshape(-1, 2, 2)
        return cls(*names, subsets, keys, image_ids, longer, scores, table_of_blind, left_out, bootstrap)


def items_path(path: Path) -> Path:
    """Where the items of the result file ``path`` stand: compositional.json → compositional.items.parquet."""
    return path.with_name(f"{path.stem}.items.parquet")


def accuracy_gain(
    pairs: Sequence[tuple[CompositionalResult, CompositionalResult]], bootstrap: Bootstrap
) -> dict[str, SeedEstimate]:
    """Accuracy of the first of each pair less that of the second, in points, as the mean over pairs, one for each seed.

    By subset, group and ``mean``; all pairs are judged on the same resamples. Raises InputError if the items are not the same.
    """
    first = pairs[0][0]
    for other in (result for pair in pairs for result in pair):
        if (other.subsets, other.keys, other.image_ids) != (first.subsets, first.keys, first.image_ids):
            names = f"{first.experiment} and {other.experiment}"
            raise InputError(f"{names}: expected results of the same items; judge both with one folder of items")
    measured = [(_measured(ours, bootstrap), _measured(theirs, bootstrap)) for ours, theirs in pairs]
    gains = {name: np.stack([ours[name] - theirs[name] for ours, theirs in measured]) for name in measured[0][0]}
    return {name: over_seeds(values, bootstrap) for name, values in gains.items()}


def _measured(result: CompositionalResult, bootstrap: Bootstrap) -> dict[str, np.ndarray]:
    """Subset, group or ``mean`` → (1 + samples,) percent.

    The first counts every image once, the others as often as it was drawn; NaN where no item was drawn.
    """
    present = [name for name in SUBSETS if name in result.subsets]
    images = {image_id: row for row, image_id in enumerate(dict.fromkeys(result.image_ids))}
    cells = np.array([images[image_id] for image_id in result.image_ids]) * len(present)
    cells += np.array([present.index(subset) for subset in result.subsets])
    right = result.scores[:, 0] > result.scores[:, 1]
    size = len(images) * len(present)
    hits, items = (np.bincount(cells, each, size).reshape(len(images), -1) for each in (right, np.ones(len(cells))))
    # Sums of whole numbers are exact in float64, so the order in which BLAS adds them changes nothing.
    weights = np.concatenate([np.ones((1, len(images))), bootstrap.draws(len(images))])
    with np.errstate(invalid="ignore"):
        percent = 100 * (weights @ hits) / (weights @ items)
    measured = dict(zip(present, percent.T, strict=True))
    for name, members in {**GROUPS, MEAN: present}.items():
        own = np.array([measured[member] for member in members if member in present])
        if len(own):
            with np.errstate(invalid="ignore"):
                measured[name] = np.nansum(own, axis=0) / np.isfinite(own).sum(axis=0)
    return measured


def _estimate(values: np.ndarray, bootstrap: Bootstrap, n_images: int) -> Estimate:
    low, high = bootstrap.share_ends(values[0], tuple(bootstrap.interval(values[1:][np.isfinite(values[1:])])), n_images)
    return Estimate(float(values[0]), float(low), float(high))


def _plain(estimate: Estimate) -> dict[str, Any]:
    return {"accuracy": estimate.value, "interval": [estimate.low, estimate.high]}
