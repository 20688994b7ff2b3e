import numpy as np
import oracles
import pytest

from vldeformer.errors import InputError
from vldeformer.evaluation.measures import EvaluationSettings
from vldeformer.evaluation.protocols import PROTOCOLS, evaluate, evaluate_scored
from vldeformer.retrieval.embeddings import Embeddings, Scores
from vldeformer.steps.evaluate import PROTOCOLS as NAMED

SETTINGS = EvaluationSettings(joint_images=5, bootstrap_samples=100, seed=0)


def vectors(n_images, captions_each, width=16):
    generator = np.random.default_rng(0)
    images = generator.normal(size=(n_images, width))
    index = np.repeat(np.arange(n_images), captions_each)
    captions = images[index] + generator.normal(size=(len(index), width))
    unit = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in (images, captions)]
    return unit[0], unit[1], index


def test_arrays_in_result_out():
    images, captions, index = vectors(20, 3)
    result = evaluate(images, captions, index.tolist())
    assert (len(result.image_ids), len(result.caption_ids)) == (20, 60)
    assert 5 < result.t2i["R@1"].value <= 100


def test_all_equal_embeddings_are_never_better_than_chance():
    result = evaluate(
        np.tile([[0.6, 0.8]], (20, 1)), np.tile([[0.6, 0.8]], (100, 1)), np.repeat(np.arange(20), 5), settings=SETTINGS
    )
    assert result.rsum == 0


def test_subset_is_the_same_for_embeddings_and_their_scores():
    images, captions, index = vectors(20, 3)
    names = tuple(f"i{row}" for row in range(20)), tuple(f"c{row}" for row in range(60))
    embeddings = Embeddings(names[0], np.float32(images), names[1], np.float32(captions), index)
    few = embeddings.first(5)
    scores = Scores(few.image_ids, few.caption_ids, few.caption_image_index, few.block(0, 5))
    dual, joint = (evaluate_scored(scored, "subset", SETTINGS, "tiny", "any") for scored in (embeddings, scores))
    assert dual.image_ids == joint.image_ids == names[0][:5]
    assert dual.caption_ids == joint.caption_ids == names[1][:15]
    assert dual.summary() == joint.summary()


def test_flickr8k_keeps_the_first_five_captions_and_checks_counts():
    images, captions, index = vectors(1000, 6, width=4)
    result = evaluate(images, captions, index, protocol="flickr8k-1k", settings=SETTINGS)
    assert len(result.caption_ids) == 5000
    assert result.caption_ids[:6] == ("0", "1", "2", "3", "4", "6")
    with pytest.raises(InputError, match="expects 1000 images, got 999"):
        evaluate(images[:999], captions[: 999 * 6], index[: 999 * 6], protocol="flickr8k-1k", settings=SETTINGS)
    with pytest.raises(InputError, match="expects 5000 captions, got 4000"):
        evaluate(*vectors(1000, 4, width=4), protocol="flickr8k-1k", settings=SETTINGS)


@pytest.fixture(scope="module")
def coco_sized():
    """5,000 images with five captions each, ten of them with a sixth, as in Karpathy's file."""
    images, captions, index = vectors(5000, 6, width=4)
    kept = np.flatnonzero((np.arange(30_000) % 6 < 5) | (index < 10))
    return images, captions[kept], index[kept]


def test_coco_5k_is_25000_captions_of_a_file_with_more(coco_sized):
    result = evaluate(*coco_sized, "coco-5k", SETTINGS)
    assert (len(result.image_ids), len(result.caption_ids)) == (5000, 25_000)
    assert result.caption_ids[:6] == ("0", "1", "2", "3", "4", "6")


def test_five_folds_are_the_mean_of_five_galleries_and_hold_every_image_once(coco_sized):
    images, captions, index = coco_sized
    result = evaluate(images, captions, index, "coco-1k-5fold", SETTINGS)
    assert (len(result.image_ids), len(result.caption_ids)) == (5000, 25_000)
    apart = []
    for fold in range(5):
        own = index // 1000 == fold
        part = images[1000 * fold : 1000 * (fold + 1)], captions[own], index[own] - 1000 * fold
        apart.append(evaluate(*part, "flickr30k-1k", SETTINGS))
    np.testing.assert_array_equal(result.ranks.i2t, np.concatenate([one.ranks.i2t for one in apart]))
    np.testing.assert_array_equal(result.ranks.t2i, np.concatenate([one.ranks.t2i for one in apart]))
    for direction in ("i2t", "t2i"):
        for name, estimate in getattr(result, direction).items():
            values = [getattr(one, direction)[name].value for one in apart]
            assert estimate.value == pytest.approx(np.mean(values))
            assert estimate.low <= estimate.value <= estimate.high
            if name != "median_rank":  # images are drawn within five folds at once: narrower than the interval of one
                assert estimate.high - estimate.low < min(
                    getattr(one, direction)[name].high - getattr(one, direction)[name].low for one in apart
                )


def test_the_fixed_list_picks_its_images_by_number(coco_sized):
    images, captions, index = coco_sized
    ids = [f"COCO_val2014_{number:012d}" for number in range(5000)]
    keys = [str(number) for number in range(4999, -1, -5)]
    result = evaluate(images, captions, index, "coco-1k-fixed", SETTINGS, image_ids=ids, keys=keys)
    assert (len(result.image_ids), len(result.caption_ids)) == (1000, 5000)
    assert result.image_ids[:2] == ("COCO_val2014_000000000004", "COCO_val2014_000000000009")
    chosen = np.flatnonzero(index % 5 == 4)
    alone = evaluate(images[4::5], captions[chosen], index[chosen] // 5, "flickr30k-1k", SETTINGS)
    assert result.rsum == alone.rsum
    with pytest.raises(InputError, match="keys: 1 of 1000 images have no vector, the first is '5000'"):
        evaluate(images, captions, index, "coco-1k-fixed", SETTINGS, image_ids=ids, keys=["5000", *keys[1:]])
    with pytest.raises(InputError, match="expects 1000 images, got 999"):
        evaluate(images, captions, index, "coco-1k-fixed", SETTINGS, image_ids=ids, keys=keys[1:])
    with pytest.raises(InputError, match="needs the list of its images"):
        evaluate(images, captions, index, "coco-1k-fixed", SETTINGS, image_ids=ids)
    with pytest.raises(InputError, match="'coco-5k' takes no list of images"):
        evaluate(images, captions, index, "coco-5k", SETTINGS, image_ids=ids, keys=keys)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["random", "tied", "equal"])
def test_all_equals_the_loop_for_any_number_of_captions_an_image_in_any_order(kind, seed):
    generator = np.random.default_rng(seed)
    index = np.concatenate([np.arange(17), generator.integers(17, size=30)])
    generator.shuffle(index)
    images, captions = generator.normal(size=(17, 8)), generator.normal(size=(47, 8))
    if kind == "tied":  # few vectors, each many times, right ones among the copies
        images, captions = images[generator.integers(4, size=17)], images[generator.integers(4, size=47)]
    elif kind == "equal":
        images[:], captions[:] = images[0], images[0]
    images, captions = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (images, captions))
    table = oracles.cosine_table(np.float32(images), np.float32(captions))
    i2t, t2i = oracles.ranks(table, *oracles.right_sets(index.tolist(), 17))
    result = evaluate(images, captions, index, settings=SETTINGS)
    for estimates, ranks in ((result.i2t, i2t), (result.t2i, t2i)):
        assert [estimates[f"R@{k}"].value for k in (1, 5, 10)] == pytest.approx([oracles.recall_at(ranks, k) for k in (1, 5, 10)])
        assert estimates["median_rank"].value == np.median(ranks)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.longdouble])
def test_other_floats_are_judged_as_float32(dtype):
    images, captions, index = vectors(30, 2)
    images, captions = images.astype(dtype), captions.astype(dtype)
    result = evaluate(images, captions, index, settings=SETTINGS)
    assert result.summary() == evaluate(np.float32(images), np.float32(captions), index, settings=SETTINGS).summary()


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.complex64, object, bool])
def test_numbers_that_are_no_floats_are_refused(dtype):
    images, captions, index = vectors(5, 1)
    with pytest.raises(InputError, match="captions: expected floats of unit length, got"):
        evaluate(images, (100 * abs(captions)).astype(dtype), index)


def test_the_command_line_names_every_protocol():
    assert all(name in NAMED for name in PROTOCOLS)


def test_unknown_protocol_names_the_known():
    with pytest.raises(InputError, match=f"'coco' is unknown; expected one of {', '.join(sorted(PROTOCOLS))}"):
        evaluate(*vectors(3, 1), protocol="coco")


def test_bad_arrays():
    images, captions, index = vectors(3, 2)
    with pytest.raises(InputError, match="normalise"):
        evaluate(images * 2, captions, index)
    with pytest.raises(InputError, match="whole numbers"):
        evaluate(images, captions, index / 1)
    with pytest.raises(InputError, match=r"image row 2 .'2'. has no caption"):
        evaluate(images, captions[:4], index[:4])
    with pytest.raises(InputError, match=r"images: row 1 .'1'. has length inf"):
        evaluate(np.where(np.arange(3)[:, None] == 1, 1e300, images), captions, index)
    with pytest.raises(InputError, match="image_ids: expected an id for each of 3 vectors, got 2"):
        evaluate(images, captions, index, image_ids=["a", "b"])
