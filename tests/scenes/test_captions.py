"""Captions: varied, of bearable length, and true of their own scene, checked from the sentence and from the claims."""

from collections import Counter

import pytest
from scene_words import synonym_groups

from vldeformer.scenes.caption_draft import CaptionDraft
from vldeformer.scenes.captions import FEWEST_WORDS, MOST_WORDS, _between, _counted, _full, _listed, _loose, _placed, _related
from vldeformer.scenes.layout import Dice
from vldeformer.scenes.records import Facts, Mention, Relation, SceneObject
from vldeformer.scenes.words import COLOUR_WORDS, SHAPE_WORDS, SIZE_WORDS, plural, with_article
from vldeformer.scenes.world import generate_scenes
from vldeformer.scenes.world_settings import SceneSettings
from vldeformer.seeding import named_generator

SETTINGS = SceneSettings(pretrain_images=400, train_images=1, val_images=1, test_images=1, image_size=96, seed=3)


@pytest.fixture(scope="module")
def scenes():
    return list(generate_scenes(SETTINGS))


def test_five_different_captions_of_bearable_length(scenes):
    for scene in scenes:
        texts = [caption.text for caption in scene.captions]
        assert len(set(texts)) == len(texts) == 5
        assert all(FEWEST_WORDS <= len(text.split()) <= MOST_WORDS for text in texts)


def test_vocabulary_is_rich(scenes):
    words = {word.strip(",;:") for scene in scenes for caption in scene.captions for word in caption.text.split()}
    assert len(words) >= 150


def test_one_caption_tells_everything_and_one_little(scenes):
    for scene in scenes:
        said = [
            sum(m.size is not None and m.colour is not None and m.shape is not None for m in c.facts.mentions)
            for c in scene.captions
        ]
        assert max(said) == len(scene.objects)
        assert min(said) < len(scene.objects)


def test_words_of_the_sentence_are_the_words_of_the_facts(scenes):
    """Read the sentence back word by word: it names the same attributes as the facts."""
    canonical = {}
    for table in (SHAPE_WORDS, COLOUR_WORDS, SIZE_WORDS):
        for meaning, words in table.items():
            canonical |= dict.fromkeys(words, meaning)
            canonical |= {plural(word): meaning for word in words if table is SHAPE_WORDS}
    for scene in scenes:
        for caption in scene.captions:
            words = [word.strip(",;:") for word in caption.text.split()]
            told = {canonical[word] for word in words if word in canonical}
            claimed = {word for m in caption.facts.mentions for word in (m.shape, m.colour, m.size) if word}
            assert told == claimed, caption


def test_claims_are_true_of_the_scene_by_plain_geometry(scenes):
    """The objects are looked up by attribute where that is unambiguous; relations are checked against the canvas."""
    checked = Counter()
    for scene in scenes:
        for caption in scene.captions:
            facts = caption.facts
            owners = [[o for o in scene.objects if m.describes(o)] for m in facts.mentions]
            assert all(owners), caption
            assert facts.total in (None, len(scene.objects))
            for relation in facts.relations:
                if any(len(owners[number]) > 1 for number in relation.of):
                    continue
                a, *others = (owners[number][0] for number in relation.of)
                assert _true(relation.kind, a, others), (caption, scene.objects)
                checked[relation.kind] += 1
    assert len(checked) == 15  # five pair relations, between, nine places


def _true(kind: str, a: SceneObject, others: list[SceneObject]) -> bool:
    if kind == "between":
        b, c = others
        return min(b.x, c.x) <= a.x <= max(b.x, c.x) or min(b.y, c.y) <= a.y <= max(b.y, c.y)
    if kind == "near":
        return abs(a.x - others[0].x) <= 320 and abs(a.y - others[0].y) <= 320
    if others:
        b = others[0]
        return {"left": a.x < b.x - 100, "right": a.x > b.x + 100, "above": a.y < b.y - 100, "below": a.y > b.y + 100}[kind]
    if kind == "centre":
        return 320 < a.x < 640 and 320 < a.y < 640
    return all(
        {"top": a.y < 400, "bottom": a.y > 560, "left": a.x < 400, "right": a.x > 560}[part]
        for part in kind.removesuffix("-side").split("-")
    )


def test_every_kind_can_tell_every_scene(scenes):
    dice = Dice(named_generator(5, "test"))
    for scene in scenes[:50]:
        for kind in (_loose, _related, _placed, _between, _counted, _listed, _full):
            caption = kind(CaptionDraft(dice, scene.objects))
            assert caption.facts.mentions
            assert "  " not in caption.text
            assert caption.text == caption.text.strip()


def test_objects_of_one_name_are_counted():
    objects = [SceneObject("ring", "red", "small", 200, 200, 0), SceneObject("ring", "red", "large", 700, 200, 0)]
    listing = _listed
    captions = {listing(CaptionDraft(Dice(named_generator(n, "test")), objects)) for n in range(20)}
    assert all("two " in caption.text and caption.facts.mentions == (Mention("ring", "red", None),) * 2 for caption in captions)


def test_facts_survive_the_disk():
    objects = [SceneObject("ring", "red", "small", 200, 200, 0), SceneObject("star", "red", "large", 700, 200, 0)]
    facts = Facts(
        (Mention("star", None, None), Mention(None, "red", "small")), (Relation("left", (1, 0)), Relation("top", (0,))), 2
    )
    assert facts.encode(objects) == "1s 0zc left:1,0 top:0 total:2"
    assert Facts.decode(facts.encode(objects), objects) == facts


def test_no_word_has_two_meanings():
    words = Counter(word for group in synonym_groups() for word in group)
    assert max(words.values()) == 1
    assert len(list(synonym_groups())) == 16 + 8 + 2


def test_articles_and_plurals():
    assert with_article("orange hoop") == "an orange hoop"
    assert with_article("hoop") == "a hoop"
    assert [plural(word) for word in ("box", "cross", "fish", "daisy", "flash", "star")] == [
        "boxes", "crosses", "fish", "daisies", "flashes", "stars",
    ]  # fmt: skip
