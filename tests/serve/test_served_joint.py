"""What a pair costs the joint model, as it is measured when the server starts."""

import weakref

import pytest
import torch

from vldeformer.errors import InputError
from vldeformer.inputs.in_memory import in_memory_ids
from vldeformer.models.joint import JointMatcher
from vldeformer.search.index import SearchIndex
from vldeformer.search.writing import index_images
from vldeformer.serve.served_joint import MEASURED_WITH, TURNS, ServedJoint


class Watched:
    """Images of an index. ``most``: how many of their own size were in memory at once."""

    def __init__(self, images):
        self.images, self.alive, self.most = images, [], 0

    def __getitem__(self, name):
        image = self.images[name]
        self.alive = [one for one in self.alive if one() is not None] + [weakref.ref(image)]
        self.most = max(self.most, len(self.alive))
        return image


def test_photographs_are_decoded_one_after_the_other(folder, joint_model):
    index = SearchIndex.open(folder)
    index.images = watched = Watched(index.images)
    assert ServedJoint(joint_model, index, 20).pair_seconds > 0
    assert watched.most == 1 and len(watched.alive) == 1


@pytest.fixture(scope="module")
def regions(tiny, model_folder, tmp_path_factory):
    place = tmp_path_factory.mktemp("regions") / "index"
    index_images(model_folder("oscar"), tiny.regions, place)
    return place


@pytest.mark.parametrize("kind", ["squares", "photographs", "oscar", "visualbert"])
def test_what_is_timed_is_what_re_ranking_reads(folder, regions, model_folder, kind, monkeypatch):
    index, matched = SearchIndex.open(regions if kind in ("oscar", "visualbert") else folder), []

    def match(self, text, visual, real=JointMatcher.match):
        matched.append(visual)
        return real(self, text, visual)

    monkeypatch.setattr(JointMatcher, "match", match)
    reranker = ServedJoint(model_folder(kind, reading="joint"), index, 6).reranker
    assert len(matched) == 1 + TURNS
    images = [index.images[name] for name in [name for ids, _ in index.parts() for name in ids][:6]]
    reader = reranker.transform.reader(images)
    text, read = reader.text.read([MEASURED_WITH] * 6), reader.visual.read(in_memory_ids(images))
    with torch.inference_mode():
        expected = reranker.matcher.read_visual(read, after=text)
    torch.testing.assert_close(matched[0].sequence.states, expected.sequence.states)
    assert torch.equal(matched[0].sequence.mask, expected.sequence.mask)


def test_a_joint_model_that_can_read_none_of_the_images_is_refused(regions, joint_model):
    with pytest.raises(InputError, match=r"this model reads pixels.*a joint model reads the images themselves"):
        ServedJoint(joint_model, SearchIndex.open(regions), 6)
