import numpy as np
import pytest

from vldeformer.errors import InputError
from vldeformer.report.page_gallery import Gallery, Judged, evenly


@pytest.fixture
def world(page_world):
    return page_world


def judged(world, name, result=None):
    return Judged(name, world.scored[name], result or world.results[name])


def pairs(scored):
    return scored.block(0, 12)


def test_answers_are_those_of_a_plain_sort(world):
    gallery = Gallery(judged(world, "decomposed"), judged(world, "joint"), world.manifest, None)
    ids = {caption.text: caption.id for caption in world.manifest.captions}
    for group in gallery.groups():
        for query in group.queries:
            for answer in query.answers:
                scores = pairs(world.scored[answer.title])
                if group.by_picture:
                    row = world.results["joint"].image_ids.index(query.picture.image_id)
                    order = sorted(range(60), key=lambda place: -scores[row, place])[:5]
                    assert [ids[hit.text] for hit in answer.hits] == [f"c{place}" for place in order]
                    assert [hit.right for hit in answer.hits] == [place // 5 == row for place in order]
                else:
                    column = int(ids[query.text][1:])
                    order = sorted(range(12), key=lambda place: -scores[place, column])
                    assert [hit.picture.image_id for hit in answer.hits] == [f"i{place}" for place in order[:5]]
                    assert [hit.right for hit in answer.hits] == [place == column // 5 for place in order[:5]]
                    assert answer.rank == order.index(column // 5) + 1


def test_headings_count_their_queries(world):
    groups = Gallery(judged(world, "decomposed"), judged(world, "joint"), world.manifest, None).groups()
    counts = {group.title: group.count for group in groups}
    main, joint = (world.results[name].ranks for name in ("decomposed", "joint"))
    assert counts["The right picture comes first"] + counts["A wrong picture comes first"] == 60
    assert counts["The joint model is right, the decomposed one is not"] == sum(
        own > 1 and other == 1 for own, other in zip(main.t2i, joint.t2i, strict=True)
    )
    assert all(len(group.queries) == min(4, group.count) for group in groups)


def test_queries_are_taken_at_even_steps():
    assert evenly(range(100), 4) == [0, 25, 50, 75] and evenly([3, 5], 4) == [3, 5] and evenly([], 4) == []


def test_scores_of_other_items_are_refused(world):
    few = world.scored["joint"].first(6)
    with pytest.raises(InputError, match="not among its scores"):
        Gallery(judged(world, "decomposed"), Judged("joint", few, world.results["joint"]), world.manifest, None)


def test_scores_of_more_items_give_the_same_answers(world):
    result = world.results["decomposed"]
    swapped = np.arange(12)[::-1]
    other = Judged("decomposed", world.scored["decomposed"].part(swapped), result)
    first, second = (Gallery(one, None, world.manifest, None).groups() for one in (judged(world, "decomposed"), other))
    hits = [[[hit.text for hit in query.answers[0].hits] for query in group.queries] for group in first]
    assert hits == [[[hit.text for hit in query.answers[0].hits] for query in group.queries] for group in second]
