import numpy as np
import pytest

from vldeformer.errors import InputError
from vldeformer.evaluation.measures import EvaluationSettings
from vldeformer.evaluation.protocols import PROTOCOLS, evaluate, evaluate_scored
from vldeformer.retrieval.embeddings import Embeddings, Scores

SETTINGS = EvaluationSettings(joint_images=5, bootstrap_samples=100, confidence=0.95, seed=0)


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


def test_unknown_protocol_names_the_known():
    with pytest.raises(InputError, match=f"'coco' is unknown; expected one of {', '.join(sorted(PROTOCOLS))}"):
        evaluate(*vectors(3, 1), protocol="coco")


def test_bad_arrays():
    images, captions, index = vectors(3, 2)
    with pytest.raises(InputError, match="normalise"):
        evaluate(images * 2, captions, index)
    with pytest.raises(InputError, match="whole numbers"):
        evaluate(images, captions, index / 1)
    with pytest.raises(InputError, match="image row 2 has no caption"):
        evaluate(images, captions[:4], index[:4])
