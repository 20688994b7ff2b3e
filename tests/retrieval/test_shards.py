"""Shares of a collection, and shards joined: the bits of a run that is not scattered, and a line about what does not fit."""

import dataclasses
import itertools

import numpy as np
import pytest
from older_files import forget

from vldeformer.errors import InputError
from vldeformer.models.dual import decompose
from vldeformer.retrieval.item_vectors import embed
from vldeformer.retrieval.scattered import embed_share, items_of
from vldeformer.retrieval.shards import Shard, Share, join


@pytest.mark.parametrize(
    ("rows", "size", "before", "of"), list(itertools.product((0, 1, 4, 10, 37), (1, 4), (0, 3), (1, 2, 5, 40)))
)
def test_every_batch_is_in_one_share_and_shares_differ_by_one_batch_at_most(rows, size, before, of):
    dealt = {number: [] for number in range(1, of + 1)}
    for batch, start in enumerate(range(0, rows, size)):
        dealt[(before + batch) % of + 1].append(start)
    for number, expected in dealt.items():
        share = Share(number, of)
        assert list(share.starts(rows, size, before)) == expected
        assert share.count(rows, size, before) == sum(min(size, rows - start) for start in expected)
    assert max(map(len, dealt.values())) - min(map(len, dealt.values())) <= 1


def test_a_share_is_read_from_text():
    assert Share.parse("3/8") == Share(3, 8) and str(Share(3, 8)) == "3/8"


@pytest.mark.parametrize("text", ["3", "3/", "a/b", "-1/2", "1/2/3", "1.5/2", "", "3-of-8"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(InputError, match="expected NUMBER/OF such as 3/8"):
        Share.parse(text)


@pytest.mark.parametrize("text", ["0/2", "3/2", "0/0"])
def test_a_share_that_is_not_there_is_refused(text):
    with pytest.raises(InputError, match=f"share {text}: expected NUMBER/OF"):
        Share.parse(text)


@pytest.fixture(params=["oscar", "vilt"])
def scattered(request, manifest, readers, make_backbone):
    """The whole embedding and a function that gives its shards, in batches so small that there are many."""
    read, test = readers(request.param), manifest.split("test")
    encoder = decompose(make_backbone(request.param), "mean").eval()
    given = (encoder, test, read)

    def shards(of):
        made = []
        for number in range(1, of + 1):
            told = []
            made.append(embed_share(Share(number, of), *given, told.append, batch_size=4))
            assert sum(told) == items_of(Share(number, of), test, batch_size=4)
        return made

    return embed(*given, batch_size=4), shards


def assert_same(found, whole):
    assert (found.image_ids, found.caption_ids) == (whole.image_ids, whole.caption_ids)
    for name in ("images", "captions", "caption_image_index"):
        ours, theirs = getattr(found, name), getattr(whole, name)
        assert ours.dtype == theirs.dtype and ours.tobytes() == theirs.tobytes(), name


@pytest.mark.parametrize("of", [1, 2, 3, 40])
def test_shards_join_to_the_bits_of_the_whole_in_whatever_order(scattered, of, tmp_path):
    whole, shards = scattered
    made = shards(of)
    for number, shard in enumerate(made):
        shard.save(tmp_path / str(number), {})
    loaded = [Shard.load(tmp_path / str(number)) for number in range(of)]
    assert_same(join(loaded), whole)
    assert_same(join(loaded[::-1]), whole)


@pytest.fixture(scope="module")
def shards():
    """Two shards of three images and three captions."""
    unit = np.eye(4, dtype=np.float32)

    def shard(number, rows):
        ids = tuple(f"i{row}" for row in rows), tuple(f"c{row}" for row in rows)
        rows = np.array(rows)
        return Shard(Share(number, 2), (3, 3), (rows, rows), (unit[rows], unit[rows]), ids, rows)

    return [shard(1, [0, 2]), shard(2, [1])]


def test_one_line_says_which_share_does_not_fit(shards):
    first, second = shards
    join([first, second])
    other = dataclasses.replace(second, totals=(3, 4))
    thirds = dataclasses.replace(second, share=Share(2, 3))
    overlapping = dataclasses.replace(second, rows=(np.array([0]), second.rows[1]))
    for given, message in [
        ([first], "share 2/2 is missing; give each of the 2 shares once"),
        ([first, first, second], "share 1/2 was given 2 times"),
        ([first, other], "share 2/2 is of 3 images and 4 captions in 2 shares, share 1/2 of 3 images and 3 captions in 2 shares"),
        ([first, thirds], "share 2/3 is of 3 images and 3 captions in 3 shares"),
        ([first, overlapping], "images: the shards do not hold each of 3 rows once"),
    ]:
        with pytest.raises(InputError) as told:
            join(given)
        assert message in str(told.value) and "\n" not in str(told.value)


def test_a_damaged_shard_is_named(shards, tmp_path):
    folder = tmp_path / "shard"
    shards[0].save(folder, {})
    forget(folder)
    with pytest.raises(InputError, match=r"nothing: expected a folder of `vldeformer embed --shard`, found no shard\.json"):
        Shard.load(tmp_path / "nothing")
    np.save(folder / "images.npy", np.eye(4, dtype=np.float32))
    with pytest.raises(InputError, match=r"shard: its rows, vectors and ids differ in number, .* embed share 1/2 again"):
        Shard.load(folder)
    for text in ('{"share": 1}', "[]", '{"share": "1/2", "totals": [1]}', '{"share": 3, "totals": [1, 2]}'):
        (folder / "shard.json").write_text(text)
        with pytest.raises(InputError, match=r"shard\.json: expected a share and totals, got another layout"):
            Shard.load(folder)
