"""The oracle against a reading of scenes in plain loops, and what it must and must not tell apart."""

import itertools
import math

import numpy as np
import pytest

from vldeformer.scenes.oracle import COVERAGE_WEIGHT, claims, oracle_scores
from vldeformer.scenes.records import Facts, Mention, Relation, Scene, SceneObject
from vldeformer.scenes.world import generate_scenes
from vldeformer.scenes.world_settings import SceneSettings

SETTINGS = SceneSettings(pretrain_images=40, train_images=1, val_images=1, test_images=1, image_size=96, seed=4)


@pytest.fixture(scope="module")
def scenes():
    return list(generate_scenes(SETTINGS))


def slow_score(scene: Scene, facts: Facts) -> float:
    """Best share of true claims over all assignments, one claim at a time; None stands for an object that is not there."""
    slots = [*scene.objects, *[None] * (4 - len(scene.objects))]
    best = 0
    for reading in itertools.permutations(slots, len(facts.mentions)):
        true = 0
        for mention, item in zip(facts.mentions, reading, strict=True):
            if item is not None:
                true += 1 + (mention.shape == item.shape) + (mention.colour == item.colour) + (mention.size == item.size)
        for relation in facts.relations:
            items = [reading[number] for number in relation.of]
            true += None not in items and slow_relation(relation.kind, items)
        best = max(best, true)
    best += facts.total == len(scene.objects)
    said = claims(facts)
    return best / said + (COVERAGE_WEIGHT * min(said / (5 * len(scene.objects)), 1) if best == said else 0)


def slow_relation(kind: str, items: list[SceneObject]) -> bool:
    a = items[0]
    if kind == "between":
        b, c = items[1:]
        return math.dist((a.x, a.y), ((b.x + c.x) / 2, (b.y + c.y) / 2)) <= 0.35 * math.dist((b.x, b.y), (c.x, c.y))
    if kind == "near":
        return math.dist((a.x, a.y), (items[1].x, items[1].y)) <= 360
    if len(items) == 2:
        dx, dy = items[1].x - a.x, items[1].y - a.y
        return {"left": dx, "right": -dx, "above": dy, "below": -dy}[kind] >= 120
    if kind == "centre":
        return abs(a.x - 480) <= 160 and abs(a.y - 480) <= 160
    parts = kind.removesuffix("-side").split("-")
    far = {"top": a.y, "bottom": 960 - a.y, "left": a.x, "right": 960 - a.x}
    return all(far[part] <= (370 if len(parts) == 2 else 320) for part in parts)


def test_equals_plain_loops(scenes):
    captions = [caption.facts for scene in scenes for caption in scene.captions]
    fast = oracle_scores(scenes, captions)
    assert fast.shape == (43, 215) and fast.dtype == np.float32
    slow = [[slow_score(scene, facts) for facts in captions] for scene in scenes]
    np.testing.assert_allclose(fast, slow, rtol=1e-6)


def test_a_caption_is_true_of_its_own_scene(scenes):
    scores = oracle_scores(scenes, [caption.facts for scene in scenes for caption in scene.captions])
    assert all((scores[row, 5 * row : 5 * row + 5] >= 1).all() for row in range(len(scenes)))


def _scene(*objects: SceneObject) -> Scene:
    return Scene("test-000000", "test", (0, 0, 0, 0), objects, ())


RED_STAR_LEFT = _scene(SceneObject("star", "red", "small", 200, 480, 0), SceneObject("ring", "blue", "small", 760, 480, 0))
BLUE_STAR_LEFT = _scene(SceneObject("star", "blue", "small", 200, 480, 0), SceneObject("ring", "red", "small", 760, 480, 0))
RED_STAR_RIGHT = _scene(SceneObject("star", "red", "small", 760, 480, 0), SceneObject("ring", "blue", "small", 200, 480, 0))


def test_binding_and_order_matter():
    told = Facts((Mention("star", "red", None), Mention("ring", "blue", None)), (Relation("left", (0, 1)),))
    scores = oracle_scores([RED_STAR_LEFT, BLUE_STAR_LEFT, RED_STAR_RIGHT], [told])[:, 0]
    assert scores[0] > 1 > scores[2] > scores[1]


def test_two_mentions_need_two_objects():
    twice = Facts((Mention("star", None, None), Mention("star", None, None)))
    two_stars = _scene(RED_STAR_LEFT.objects[0], RED_STAR_RIGHT.objects[0])
    scores = oracle_scores([RED_STAR_LEFT, two_stars], [twice])[:, 0]
    assert scores[0] < 1 <= scores[1]


def test_saying_more_truths_is_better_and_one_falsehood_is_worse():
    little = Facts((Mention("star", None, None),))
    more = Facts((Mention("star", "red", None), Mention("ring", "blue", None)))
    wrong = Facts((*more.mentions, Mention("fish", "green", "large")), total=2)
    scores = oracle_scores([RED_STAR_LEFT], [little, more, wrong])[0]
    assert scores[1] > scores[0] >= 1 > scores[2]


def test_the_order_of_captions_and_scenes_tells_nothing(scenes):
    captions = [caption.facts for scene in scenes for caption in scene.captions]
    plain = oracle_scores(scenes, captions)
    np.testing.assert_array_equal(oracle_scores(scenes[::-1], captions[::-1]), plain[::-1, ::-1])
