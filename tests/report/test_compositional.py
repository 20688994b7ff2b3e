import numpy as np
import pytest

from vldeformer.errors import InputError
from vldeformer.evaluation.compositional_result import CompositionalResult
from vldeformer.evaluation.measures import Bootstrap
from vldeformer.report.compositional import CompositionalSet, compositional_table
from vldeformer.report.sources import find_cell, value_in

ITEMS = 60


def save(folder, experiment, share, blind=True):
    """A result in which ``share`` of the items are right."""
    generator = np.random.default_rng(len(experiment))
    right = generator.random(ITEMS) < share
    scores = np.stack([right, ~right], axis=1).astype(np.float32)
    subsets = ("replace_obj", "swap_att") * (ITEMS // 2)
    keys, images = tuple(str(row // 2) for row in range(ITEMS)), tuple(f"i{row // 3}" for row in range(ITEMS))
    guesses = generator.random((ITEMS, 2, 2)) if blind else None
    bootstrap = Bootstrap(200, 0.95, 0)
    longer = np.zeros(ITEMS, dtype=bool)
    result = CompositionalResult("tiny", experiment, "dual", subsets, keys, images, longer, scores, guesses, 0, bootstrap)
    path = folder / experiment / "compositional.json"
    path.parent.mkdir(parents=True)
    result.save(path)
    return path, right


def accuracy(right):
    return 100 * (right[::2].mean() + right[1::2].mean()) / 2


@pytest.fixture
def table_of(report):
    """A function: results and titles → the table."""

    def made(found, titles):
        models = [{"experiment": name, "title": title} for name, title in titles.items()]
        facts = [found.facts(name).model_dump() for name in titles]
        return compositional_table(report.model_validate(report.model_dump() | {"models": models, "compositional": facts}))

    return made


def test_accuracies_with_the_blind_baseline_and_back_to_the_file(tmp_path, table_of):
    (path, right), _ = save(tmp_path, "with", 0.9), save(tmp_path, "without", 0.5)
    found = CompositionalSet.load([path, tmp_path / "without" / "compositional.json"])
    table = table_of(found, {"without": "Without", "with": "With"})
    assert table.shown()["Model"].tolist() == ["Without", "With", "Captions alone (blind)"]
    assert table.shown().columns.tolist() == ["Model", "Replace object", "Swap attribute", "Mean", "Ties"]
    assert table.numbers()["mean"][1] == pytest.approx(accuracy(right))
    table.save(tmp_path)
    for column in ("mean", "swap_att_low", "replace_obj_ties"):
        cell = find_cell(tmp_path / "compositional.csv", ["with"], column)
        (file,), key = cell.source.of(column)
        assert file == str(path) and value_in(path, key) == pytest.approx(float(cell.value))


def test_an_ablation_gets_the_mean_over_seeds_and_the_paired_gain(tmp_path):
    saved = {name: save(tmp_path, name, share) for name, share in (("a", 0.9), ("a_seed1", 0.8), ("b", 0.5))}
    found = CompositionalSet.load([path for path, _ in saved.values()])
    exact = {name: accuracy(right) for name, (_, right) in saved.items()}
    both, one = found.accuracy("a"), found.accuracy("b")
    assert both.value == pytest.approx((exact["a"] + exact["a_seed1"]) / 2) and (both.key, both.seeds) == (None, 2)
    assert one.value.value == pytest.approx(exact["b"]) and one.key == "mean/accuracy"
    gain = found.gain("a", "b")
    assert gain.value.value == pytest.approx(exact["a"] - exact["b"]) and gain.seeds == 1
    assert found.gain("b", None) is None and found.gain("b", "other") is None and found.accuracy("other") is None


def test_without_a_blind_baseline_there_is_no_row_for_it_and_two_results_are_refused(tmp_path, table_of):
    path, _ = save(tmp_path, "with", 0.9, blind=False)
    assert table_of(CompositionalSet.load([path]), {"with": "With"}).shown()["Model"].tolist() == ["With"]
    with pytest.raises(InputError, match="two compositional results"):
        CompositionalSet.load([path, path])
