"""The closed list of relations is consistent."""

from vldeformer.negatives.relations import EXCLUDES, INVERSE, PHRASES, RELATION_OF, RELATIONS, phrase_at


def test_exclusion_goes_both_ways_and_inverses_are_their_own():
    assert EXCLUDES.keys() == RELATIONS.keys()
    assert all(relation in EXCLUDES[other] and relation != other for relation in EXCLUDES for other in EXCLUDES[relation])
    assert all(INVERSE[INVERSE[relation]] == relation for relation in INVERSE)


def test_every_phrase_stands_for_one_relation_and_is_found_whole():
    assert sum(map(len, RELATIONS.values())) == len(RELATION_OF) == sum(map(len, PHRASES.values()))
    for phrase in RELATION_OF:
        words = phrase.split()
        assert phrase_at(["x", *words, "y"], 1) == len(words) and phrase_at(["x", *words], 0) == 0
    assert phrase_at("on the left side of it".split(), 0) == 5 and phrase_at("on the left side".split(), 0) == 4
