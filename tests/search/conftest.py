"""A folder of pictures, good and bad, and a tiny model that reads photographs."""

import numpy as np
import PIL.Image
import pytest

from vldeformer.errors import InputError
from vldeformer.search.images import Listed
from vldeformer.search.index import SearchIndex
from vldeformer.search.layout import CONTENTS, DESCRIPTION, Contents, Description, write_section, write_shard
from vldeformer.search.writing import index_images, remove_images


def picture(seed, size=(70, 50)):
    """Large coloured blocks."""
    blocks = np.random.default_rng(seed).integers(256, size=(3, 4, 3), dtype=np.uint8)
    return PIL.Image.fromarray(blocks).resize(size, PIL.Image.Resampling.BILINEAR)


@pytest.fixture(scope="session")
def model(model_folder):
    return model_folder("squares")


@pytest.fixture
def photos(tmp_path):
    """Fourteen pictures, two of one name in two folders."""
    folder = tmp_path / "photos"
    for number in range(12):
        place = folder / ("a" if number % 2 else "b")
        place.mkdir(parents=True, exist_ok=True)
        picture(number).save(place / f"{number:02}.png")
    picture(100).save(folder / "a" / "same.png")
    picture(101).save(folder / "b" / "same.png")
    return folder


@pytest.fixture
def index(model, photos, tmp_path):
    """Thirteen images in several shards, one removed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vldeformer.search.writing.SHARD_IMAGES", 5)
        index_images(model, photos, tmp_path / "index")
    remove_images(tmp_path / "index", ["a/05.png"])
    return tmp_path / "index"


def refusal(call, *given, **options):
    with pytest.raises(InputError) as caught:
        call(*given, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def ids_of(index):
    return sorted(name for ids, _ in SearchIndex.open(index).parts() for name in ids)


def stored_index(folder, shards, removed=()):
    """An index of given vectors, without a model; ids are row numbers through all shards."""
    starts = np.cumsum([0, *map(len, shards)])
    entries = [
        write_shard(folder, f"{number:06}", [Listed(str(row)) for row in range(start, start + len(own))], own, [])
        for number, (own, start) in enumerate(zip(shards, starts.tolist(), strict=False))
    ]
    width = shards[0].shape[1]
    known = Description(model="none", model_sha256="none", width=width, images=".", images_kind="folder")
    write_section(folder / DESCRIPTION, known)
    write_section(folder / CONTENTS, Contents(shards=tuple(entries), removed=tuple(removed)))
    return folder
