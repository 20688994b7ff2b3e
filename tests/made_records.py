"""Results as of a trained model, for tests of records."""

import numpy as np

from vldeformer.evaluation.compositional_result import CompositionalResult
from vldeformer.evaluation.measures import Bootstrap, measure
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.retrieval.ranking import Ranks

BOOTSTRAP = Bootstrap(100, 0.95, 0)


def made_ranks(generator, count, gallery):
    """Ranks as of a trained model: half are 1, the others fall off slowly."""
    return np.minimum(np.ceil(np.exp(generator.exponential(1.5, count) - 0.7)), gallery).astype(np.int64).clip(1)


def made_result(experiment="a", protocol="test", n_images=30, seed=0, ranks=made_ranks):
    generator = np.random.default_rng(seed)
    index = np.repeat(np.arange(n_images), 5)
    both = Ranks(ranks(generator, n_images, 5 * n_images), ranks(generator, 5 * n_images, n_images))
    images, captions = tuple(f"image {row}" for row in range(n_images)), tuple(f"c{row}" for row in range(5 * n_images))
    measures = measure(both, index, BOOTSTRAP)
    return RetrievalResult("scenes", experiment, protocol, images, captions, index, both, measures, BOOTSTRAP)


def made_test(experiment="a", n_items=90, seed=0, blind=True):
    generator = np.random.default_rng(seed)
    subsets = tuple(np.repeat(["replace_obj", "swap_att", "add_att"], n_items // 3))
    scores = generator.integers(0, 4, (n_items, 2)).astype(np.float32) / 3
    log_probability = generator.integers(-3, 0, (n_items, 2, 2)) / 7
    keys, images = tuple(str(row) for row in range(n_items)), tuple(f"image {row % 17}" for row in range(n_items))
    longer = generator.random(n_items) < 0.5
    given = log_probability if blind else None
    return CompositionalResult("scenes", experiment, "dual", subsets, keys, images, longer, scores, given, 4, BOOTSTRAP)
