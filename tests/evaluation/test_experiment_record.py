"""Records of experiments: all that tables need comes back, they are small, and what does not fit is refused in one line."""

import json

import numpy as np
import pytest
from made_records import BOOTSTRAP, made_ranks, made_result, made_test
from older_files import forget

from vldeformer.errors import InputError
from vldeformer.evaluation.compositional_result import accuracy_gain
from vldeformer.evaluation.experiment_record import ExperimentRecord, provenance_in
from vldeformer.evaluation.measures import Precisions
from vldeformer.evaluation.over_seeds import recall_drop
from vldeformer.evaluation.record_settings import difference
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.retrieval.ranking import Ranks

SETTINGS = {
    "versions": {"train": 1, "evaluate": 1},
    "train": {"kind": "dual", "seed": 3, "loss": {"temperature": 0.07}},
    "teacher": {"versions": {"train": 1}, "train": {"seed": 0}},
}


def made_record(**changes):
    results = (made_result(protocol="subset", n_images=12, seed=1), made_result())
    values = {"dataset": "scenes", "experiment": "a", "settings": SETTINGS, "results": results, "compositional": made_test()}
    values |= {"pair_time": {"seconds": 2.5}, "trained": None, "provenance": {"inputs": {}, "code": {"commit": "c0"}}}
    return ExperimentRecord(**(values | changes))


def stored(record, folder):
    path = folder / "records" / f"{record.experiment}.json"
    record.save(path)
    return path


def test_all_comes_back_but_ids(tmp_path):
    record = made_record()
    found = ExperimentRecord.load(stored(record, tmp_path))
    assert (found.dataset, found.experiment, found.settings, found.pair_time) == ("scenes", "a", SETTINGS, {"seconds": 2.5})
    for ours, other in zip(found.results, sorted(record.results, key=lambda one: one.protocol), strict=True):
        assert ours.summary() == other.summary()
        assert ours.ranks.i2t.tolist() == other.ranks.i2t.tolist() and ours.ranks.t2i.tolist() == other.ranks.t2i.tolist()
        assert ours.caption_image_index.tolist() == other.caption_image_index.tolist()
        assert len(ours.image_ids) == len(other.image_ids) and len(set(ours.caption_ids)) == len(other.caption_ids)
    drops = [recall_drop([(one.ranks, one.ranks)], one.caption_image_index, one.bootstrap) for one in found.results]
    assert all(drop.value == 0 for drop in drops)


@pytest.mark.parametrize("blind", [True, False])
def test_the_compositional_test_comes_back_with_its_order_of_scores(tmp_path, blind):
    test, other = made_test(blind=blind), made_test("b", seed=1, blind=blind)
    paths = [stored(made_record(experiment=one.experiment, compositional=one), tmp_path) for one in (test, other)]
    found = [ExperimentRecord.load(path).compositional for path in paths]
    assert found[0].summary() == test.summary() and found[1].summary() == other.summary()
    assert accuracy_gain([tuple(found)], BOOTSTRAP) == accuracy_gain([(test, other)], BOOTSTRAP)


def test_results_of_other_queries_have_other_ids(tmp_path):
    one, same = made_result(), made_result(seed=5)
    other = made_result()
    object.__setattr__(other, "image_ids", ("x", *other.image_ids[1:]))
    ids = [
        ExperimentRecord.load(stored(made_record(experiment=name, results=(result,)), tmp_path)).results[0].image_ids
        for name, result in (("one", one), ("same", same), ("other", other))
    ]
    assert ids[0] == ids[1] != ids[2]


def coco_sized(ranks):
    generator = np.random.default_rng(0)
    subset = made_result(protocol="subset", n_images=200, seed=1, ranks=ranks)
    index = np.repeat(np.arange(5000), 5)
    both = Ranks(ranks(generator, 5000, 25_000), ranks(generator, 25_000, 5000))
    images, captions = tuple(map(str, range(5000))), tuple(map(str, range(25_000)))
    measures = made_result(n_images=10).measures
    return subset, RetrievalResult("coco", "a", "test", images, captions, index, both, measures, BOOTSTRAP)


def test_a_record_of_5000_images_and_25000_captions_is_small(tmp_path):
    trained = stored(made_record(results=coco_sized(made_ranks)), tmp_path)
    assert trained.stat().st_size <= 60_000
    # Nothing packs ranks by chance much better than 2 bytes each: those of a model that learned nothing take a little more.
    chance = coco_sized(lambda generator, count, gallery: generator.integers(1, gallery + 1, count))
    assert stored(made_record(results=chance), tmp_path).stat().st_size <= 70_000


def test_what_a_record_cannot_hold_is_refused(tmp_path):
    far = made_result(ranks=lambda generator, count, gallery: np.full(count, 70_000))
    with pytest.raises(InputError, match=r"experiment 'a', protocol 'test', ranks: expected numbers up to 65,535, got 70,000"):
        made_record(results=(far,)).save(tmp_path / "a.json")
    judged = made_result()
    object.__setattr__(judged, "precisions", Precisions(np.zeros((30, 2)), np.zeros((150, 2))))
    with pytest.raises(InputError, match="holds ranks and no precisions"):
        made_record(results=(judged,)).save(tmp_path / "a.json")
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda value: value.pop("record"), "expected the record of an experiment"),
        (lambda value: value.update(record=2), "expected a record of format 1, got 2"),
        (lambda value: value["results"]["test"]["ranks"].update(i2t="0000"), "a damaged record"),
        (lambda value: value["results"]["test"].update(n_images=31), "a damaged record"),
        (lambda value: value["compositional"].update(n_items=31), "a damaged record"),
    ],
)
def test_a_file_that_is_no_whole_record_is_refused(tmp_path, change, problem):
    path = stored(made_record(), tmp_path)
    value = json.loads(forget(path).read_text())
    change(value)
    path.write_text(json.dumps(value))
    with pytest.raises(InputError, match=problem) as caught:
        ExperimentRecord.load(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def changed(**train):
    return SETTINGS | {"train": SETTINGS["train"] | train}


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        (changed(seed=4), "train.seed is 3, expected 4"),
        (changed(loss={"temperature": 0.1}), "train.loss.temperature is 0.07, expected 0.1"),
        (changed(new=True), "train.new is None, expected True"),
        (SETTINGS | {"train": {"kind": "dual", "seed": 3}}, "train.loss is {'temperature': 0.07}, expected None"),
        (SETTINGS | {"versions": {"train": 2}}, "versions.train is 1, expected 2"),
        (SETTINGS | {"versions": {"pair-time": 1}}, "versions.pair-time is None, expected 1"),
        (SETTINGS | {"teacher": {"train": {"seed": 1}}}, "teacher.train.seed is 0, expected 1"),
        (SETTINGS | {"joint": {"train": {"seed": 1}}}, "joint.train is missing"),
    ],
)
def test_other_settings_are_refused_by_the_first_that_differs(tmp_path, wanted, problem):
    path = stored(made_record(), tmp_path)
    assert difference(wanted, SETTINGS) == problem
    with pytest.raises(InputError) as caught:
        ExperimentRecord.load(path).check(wanted, path)
    assert str(caught.value) == f"{path}: of other settings: {problem}; run snakemake, which makes it again"


def test_a_record_may_hold_more_steps_than_are_wanted():
    assert difference({"versions": {"train": 1}, "train": SETTINGS["train"]}, SETTINGS) is None


def test_where_it_was_made_is_where_it_was_trained(tmp_path):
    trained = {"code": {"commit": "t1", "dirty": True}, "machine": {"processor": "EPYC"}}
    assert made_record().made == {"commit": "c0", "dirty": None, "processor": None}
    record = made_record(trained=trained)
    assert record.made == {"commit": "t1", "dirty": True, "processor": "EPYC"}
    found = provenance_in(stored(record, tmp_path))
    assert found["code"]["commit"] == "t1" and found["inputs"] == {} and found["settings"] == SETTINGS
    assert provenance_in(tmp_path / "records") is None
