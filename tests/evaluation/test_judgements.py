"""Against the package eccv_caption's own measures, on its ids. Random vectors have no ties, where its rule is another one."""

import functools
import importlib.util
import sys
import warnings

import numpy as np
import pytest

from vldeformer.errors import InputError
from vldeformer.evaluation.judgements import caption_numbers, image_numbers, load_judgements
from vldeformer.evaluation.measures import EvaluationSettings
from vldeformer.evaluation.protocols import evaluate

SETTINGS = EvaluationSettings(joint_images=5, bootstrap_samples=100, seed=0)
pytestmark = pytest.mark.slow  # the package reads its files for seconds
LONGEST = 60  # the package looks at the first 48 of a list at most
needs_package = pytest.mark.skipif(
    importlib.util.find_spec("eccv_caption") is None, reason="eccv_caption is not installed: pip install 'vldeformer[eccv]'"
)


@pytest.fixture(scope="module")
def published():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from eccv_caption import Metrics

        return Metrics()


@pytest.fixture(scope="module")
def coco(published):
    """Random vectors of COCO's test images and captions in Karpathy's order, the captions near their image."""
    generator = np.random.default_rng(0)
    captions = [int(number) for number in published.coco_ids]
    images = [published.coco_gts["t2i"][number][0] for number in captions[::5]]
    index = np.repeat(np.arange(5000), 5)
    vectors = generator.normal(size=(5000, 16))
    near = 0.7 * vectors[index] + generator.normal(size=(25_000, 16))
    unit = [(each / np.linalg.norm(each, axis=1, keepdims=True)).astype(np.float32) for each in (vectors, near)]
    return unit[0], unit[1], index, [f"COCO_val2014_{number:012d}" for number in images], [str(number) for number in captions]


def ranked(scores, gallery, length):
    """The first ``length`` of the gallery for each row of scores, best first."""
    gallery = np.asarray(gallery)
    head = np.argpartition(-scores, length - 1, axis=1)[:, :length]
    order = np.argsort(-np.take_along_axis(scores, head, axis=1), axis=1)
    return gallery[np.take_along_axis(head, order, axis=1)].tolist()


@pytest.fixture(scope="module")
def retrieved(coco):
    """Ranked lists as the package takes them."""
    images, captions, _, image_ids, caption_ids = coco
    image_numbers, numbers = [int(name[-12:]) for name in image_ids], [int(name) for name in caption_ids]
    i2t, t2i = {}, {}
    for start in range(0, 5000, 1000):
        part = slice(start, start + 1000)
        i2t |= zip(image_numbers[part], ranked(images[part] @ captions.T, numbers, LONGEST), strict=True)
        part = slice(5 * start, 5 * start + 5000)
        t2i |= zip(numbers[part], ranked(captions[part] @ images.T, image_numbers, LONGEST), strict=True)
    return {"i2t": i2t, "t2i": t2i}


@pytest.fixture(scope="module")
def judge(coco):
    """A result by the name of its protocol; each is made once."""
    images, captions, index, image_ids, caption_ids = coco
    return functools.cache(lambda protocol: evaluate(images, captions, index, protocol, SETTINGS, image_ids, caption_ids))


def recalls(result, cutoff):
    return {"i2t": result.i2t[f"R@{cutoff}"].value, "t2i": result.t2i[f"R@{cutoff}"].value}


def percent(value):
    return pytest.approx({direction: 100 * each for direction, each in value.items()})


@needs_package
def test_coco_5k_and_cxc_recalls_are_the_packages(judge, retrieved, published):
    for protocol, measured in (("coco-5k", published.coco_5k_recalls), ("cxc", published.cxc_recalls)):
        result = judge(protocol)
        for cutoff in (1, 5, 10):
            assert recalls(result, cutoff) == percent(measured(retrieved, "all", K=cutoff))


@needs_package
def test_eccv_caption_measures_are_the_packages(judge, retrieved, published, capsys):
    result = judge("eccv-caption")
    for cutoff in (1, 5, 10):
        assert recalls(result, cutoff) == percent(published.eccv_recalls(retrieved, "all", K=cutoff))
    theirs = published.eccv_metrics(retrieved, "all")
    for name, measure in (("R@1", "eccv_r1"), ("R-Precision", "eccv_rprecision"), ("mAP@R", "eccv_map_at_r")):
        assert {"i2t": result.i2t[name].value, "t2i": result.t2i[name].value} == percent(theirs[measure])
        assert result.i2t[name].low < result.i2t[name].value < result.i2t[name].high
    assert (len(result.image_ids), len(result.caption_ids)) == (1261, 1332)


@needs_package
def test_cxc_precisions_are_what_the_packages_function_says(judge, retrieved, published, capsys):
    from eccv_caption._metrics import compute_eccv_metrics

    result = judge("cxc")
    for direction, estimates in (("i2t", result.i2t), ("t2i", result.t2i)):
        theirs = compute_eccv_metrics(retrieved[direction], published.cxc_gts[direction])
        assert estimates["R-Precision"].value == pytest.approx(100 * theirs["eccv_rprecision"])
        assert estimates["mAP@R"].value == pytest.approx(100 * theirs["eccv_map_at_r"])


@needs_package
def test_five_fold_recalls_are_the_packages(coco, judge, published):
    images, captions, _, image_ids, caption_ids = coco
    image_numbers, numbers = [int(name[-12:]) for name in image_ids], [int(name) for name in caption_ids]
    i2t, t2i = {}, {}  # the package leaves out what is of other folds; so only the own fold is listed
    for start in range(0, 5000, 1000):
        some, theirs = slice(start, start + 1000), slice(5 * start, 5 * start + 5000)
        scores = images[some] @ captions[theirs].T
        i2t |= zip(image_numbers[some], ranked(scores, numbers[theirs], LONGEST), strict=True)
        t2i |= zip(numbers[theirs], ranked(scores.T, image_numbers[some], LONGEST), strict=True)
    result = judge("coco-1k-5fold")
    for cutoff in (1, 5, 10):
        assert recalls(result, cutoff) == percent(published.coco_1k_recalls({"i2t": i2t, "t2i": t2i}, "all", K=cutoff))


@needs_package
def test_judgements_follow_the_ids_whatever_their_order_and_form(coco, judge):
    images, captions, _, image_ids, _ = coco
    expected = judge("eccv-caption")
    order = np.random.default_rng(1).permutation(5000)
    rows = (5 * order[:, None] + np.arange(5)).ravel()
    moved = images[order], captions[rows], np.repeat(np.arange(5000), 5), [f"coco:{int(image_ids[row][-12:])}" for row in order]
    result = evaluate(
        *moved[:3], "eccv-caption", SETTINGS, moved[3], [f"{moved[3][row // 5]}#{row % 5}" for row in range(25_000)]
    )
    assert result.rsum == pytest.approx(expected.rsum)
    assert result.i2t["mAP@R"].value == pytest.approx(expected.i2t["mAP@R"].value)


@needs_package
def test_ids_that_were_not_judged_are_named(coco):
    image_ids, caption_ids, index = list(coco[3]), list(coco[4]), coco[2]
    with pytest.raises(InputError, match="image '5' is not one of the 5,000 COCO test images"):
        load_judgements("cxc", ["5", *image_ids[1:]], caption_ids, index)
    with pytest.raises(InputError, match=r"caption ids: expected 770337, .*, got '1'"):
        load_judgements("cxc", image_ids, ["1", *caption_ids[1:]], index)


def test_without_the_package_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "eccv_caption", None)
    with pytest.raises(InputError, match=r"pip install 'vldeformer\[eccv\]'"):
        load_judgements("eccv", ["1"], ["1"], np.array([0]))


OWN = {391895: [781998, 770337, 771687], 60623: [152106, 158205]}


def test_an_image_is_known_by_the_number_at_the_end_of_its_id():
    ids = ["391895", "COCO_val2014_000000060623", "coco:483108", "val2014/COCO_val2014_000000384213.jpg", "000000386164"]
    assert image_numbers(ids) == [391895, 60623, 483108, 384213, 386164]


def test_ids_that_name_no_coco_image_or_one_twice():
    with pytest.raises(InputError, match=r"keys: expected COCO ids, .*got 'dog'"):
        image_numbers(["1", "dog"], "keys")
    with pytest.raises(InputError, match="'7' and 'COCO_val2014_000000000007' are the same COCO image 7"):
        image_numbers(["7", "COCO_val2014_000000000007"])


def test_a_caption_is_known_by_its_number_or_by_its_place_among_the_numbers_of_its_image():
    ids = ["770337", "coco:781998", "391895#1", "coco:391895#0", "COCO_val2014_000000060623#1"]
    images = [391895, 391895, 391895, 391895, 60623]
    assert caption_numbers(ids, images, OWN) == [770337, 781998, 771687, 770337, 158205]


@pytest.mark.parametrize("wrong", ["770338", "391895#3", "60623#0", "first", "152106"])
def test_a_caption_of_no_such_number_place_or_image(wrong):
    expected = "expected 770337, 771687, 781998 or 391895#0 to 391895#2 for a caption of image 391895, got "
    with pytest.raises(InputError, match=f"{expected}'{wrong}'"):
        caption_numbers([wrong], [391895], OWN)
