"""The Python face: the vectors of the command line, of anything that a user may hold, alone or in company."""

import json
import shutil

import numpy as np
import PIL.Image
import pytest
import torch

import vldeformer
from vldeformer.data.manifest import Manifest
from vldeformer.data.photographs import read_squares
from vldeformer.data.pixels import PixelStore, write_pixels
from vldeformer.data.records import Caption, Image, Regions
from vldeformer.data.regions import RegionStore, write_regions
from vldeformer.errors import InputError
from vldeformer.models.weights import load_model
from vldeformer.retrieval.item_vectors import embed
from vldeformer.retrieval.reader import open_encoder
from vldeformer.scenes.detector import Detector, detect_regions

MODELS = [("oscar", "mean"), ("oscar", "mean_all"), ("visualbert", "mean"), ("squares", "mean"), ("squares", "mean_all"),
          ("photographs", "mean")]  # fmt: skip
CAPTIONS = [
    "a red ring",
    "",
    "a star left of a blue box and " * 170,
    "🦊 🧊",
    "قطة على سجادة",
    "[PAD] [SEP]",
    "\ud800 half",
    "a\0b",
]


def picture(width, height, seed=0):
    """Large coloured blocks."""
    blocks = np.random.default_rng(seed).integers(256, size=(3, 4, 3), dtype=np.uint8)
    return PIL.Image.fromarray(blocks).resize((width, height), PIL.Image.Resampling.BILINEAR)


PICTURES = [picture(*size, seed) for seed, size in enumerate([(64, 64), (200, 90), (40, 130), (1, 1), (2, 900), (97, 64)])]


@pytest.fixture
def images(region_store):
    """What a model of a kind takes."""

    def of(kind):
        if kind in ("oscar", "visualbert"):
            return [region_store[name] for name in region_store.ids[:7]]
        return PICTURES

    return of


def own_manifest(ids, captions):
    rows = [Caption(f"{row}", ids[row % len(ids)], text or "-") for row, text in enumerate(captions)]
    return Manifest("own", tuple(Image(name, "test") for name in ids), tuple(rows))


def refusal(call, *given, **options):
    with pytest.raises(InputError) as caught:
        call(*given, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("kind", "pooling"), MODELS)
def test_vectors_do_not_depend_on_company_and_keep_their_order(model_folder, images, kind, pooling):
    encoder, given = vldeformer.load(model_folder(kind, pooling)), images(kind)
    for encode, items in ((encoder.encode_text, CAPTIONS), (encoder.encode_images, given)):
        alone = np.concatenate([encode([item]) for item in items])
        assert alone.dtype == np.float32 and alone.shape == (len(items), 32)
        np.testing.assert_allclose(np.linalg.norm(alone, axis=1), 1, atol=1e-6)
        for size in (3, 64):
            np.testing.assert_allclose(encode(items, batch_size=size), alone, atol=1e-5)
        np.testing.assert_allclose(encode(items[::-1]), alone[::-1], atol=1e-5)
        assert np.abs(alone[0] - alone[1:]).max(axis=1).min() > 1e-3, "an exchange would be seen"
        assert encode([]).shape == (0, 32) and encode([]).dtype == np.float32


def test_an_empty_caption_is_its_two_special_tokens_and_the_end_of_a_long_one_is_not_read(model_folder, words):
    encoder = vldeformer.load(model_folder("squares"))
    ids = torch.tensor([[words.cls, words.sep]])
    np.testing.assert_allclose(encoder.encode_text(["", " "]), encoder.encode_text(ids).repeat(2, 1).numpy(), atol=1e-6)
    long = "a red ring " * 500
    np.testing.assert_array_equal(encoder.encode_text([long]), encoder.encode_text([long + "left of a box"]))


def test_photographs_get_the_vectors_that_they_have_through_the_stores(model_folder, runtime, tmp_path):
    """From files, made into squares by the lines of `prepare`, stored, read, cropped, embedded; against files opened here."""
    modes = ["RGB", "L", "RGBA", "P", "CMYK", "RGB"]
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    paths = [tmp_path / f"{row}.{'tif' if mode == 'CMYK' else 'png'}" for row, mode in enumerate(modes)]
    for path, mode, image in zip(paths, modes, PICTURES, strict=True):
        image.convert(mode).save(path, exif=exif)
    write_pixels(tmp_path / "pixels", [path.stem for path in paths], read_squares(paths, 64), (64, 64))
    encoder, reader = open_encoder(model_folder("squares"), tmp_path / "pixels", runtime)
    manifest = own_manifest(PixelStore(tmp_path / "pixels").ids, ["a ring"] * 6)
    stored = embed(encoder, manifest, reader)
    found = vldeformer.load(model_folder("squares")).encode_images([PIL.Image.open(path) for path in paths])
    assert np.abs(found - stored.images).max() <= 1e-6


@pytest.mark.parametrize("kind", ["oscar", "visualbert"])
def test_regions_get_the_vectors_that_they_have_through_the_store(model_folder, region_store, tiny, runtime, kind):
    encoder, reader = open_encoder(model_folder(kind), tiny.regions, runtime)
    stored = embed(encoder, own_manifest(region_store.ids[:9], ["a ring"] * 9), reader)
    found = vldeformer.load(model_folder(kind)).encode_images([region_store[name] for name in region_store.ids[:9]])
    assert np.abs(found - stored.images).max() <= 1e-6


def test_a_detector_in_the_folder_finds_the_regions_of_pictures(model_folder, pixel_store, region_store, tiny, runtime, tmp_path):
    encoder, ids = vldeformer.load(model_folder("oscar", extractor=True)), pixel_store.ids[:12]
    found = encoder.encode_images([PIL.Image.fromarray(pixel_store[name]) for name in ids])
    detector = Detector.load(tiny.features / "extractor.npz")
    write_regions(tmp_path / "exact", detect_regions(detector, pixel_store, ids), detector.feature_width, "float32")
    exact = RegionStore(tmp_path / "exact")
    assert np.abs(found - encoder.encode_images([exact[name] for name in ids])).max() <= 1e-6
    rounded = encoder.encode_images([region_store[name] for name in ids])
    assert (found * rounded).sum(1).min() > 0.999, "the store of `features` keeps float16"
    mixed = encoder.encode_images([exact[ids[0]], np.asarray(pixel_store[ids[1]]), picture(500, 300)])
    np.testing.assert_allclose(mixed[:2], found[:2], atol=1e-5)


@pytest.mark.parametrize("kind", ["oscar", "squares", "photographs"])
def test_a_joint_model_is_decomposed_without_a_change_of_its_weights(model_folder, images, kind):
    joint, dual = model_folder(kind, reading="joint"), model_folder(kind)
    encoder, other = vldeformer.load(joint), vldeformer.load(dual)
    expected = load_model(joint)[0].backbone.state_dict()
    assert all(torch.equal(expected[name], value) for name, value in encoder.model.backbone.state_dict().items())
    other.model.backbone.load_state_dict(expected)
    np.testing.assert_array_equal(encoder.encode_text(CAPTIONS), other.encode_text(CAPTIONS))
    np.testing.assert_array_equal(encoder.encode_images(images(kind)), other.encode_images(images(kind)))
    assert not encoder.model.training


@pytest.mark.parametrize(("kind", "reading"), [("oscar", "joint"), ("squares", "dual"), ("photographs", "dual")])
def test_what_is_saved_comes_back(model_folder, images, tmp_path, kind, reading):
    encoder = vldeformer.load(model_folder(kind, reading=reading, extractor=kind == "oscar"))
    encoder.save_pretrained(str(tmp_path / "saved"))
    again = vldeformer.load(str(tmp_path / "saved"))
    np.testing.assert_array_equal(again.encode_text(CAPTIONS), encoder.encode_text(CAPTIONS))
    np.testing.assert_array_equal(again.encode_images(images(kind)), encoder.encode_images(images(kind)))
    assert again.description == encoder.description and (again.transform.extractor is None) == (kind != "oscar")
    again.save_pretrained(tmp_path / "saved")
    assert json.loads((tmp_path / "saved" / "encoder.json").read_text())["kind"] == "dual"


def test_saving_replaces_no_other_folder(model_folder, tmp_path):
    encoder = vldeformer.load(model_folder("squares"))
    (tmp_path / "mine").mkdir()
    encoder.save_pretrained(tmp_path / "mine")
    shutil.rmtree(tmp_path / "mine")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    assert "expected a new or empty folder" in refusal(encoder.save_pretrained, tmp_path / "mine")
    assert "expected a new or empty folder" in refusal(encoder.save_pretrained, tmp_path / "mine" / "thesis.txt")
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "thesis.txt"]


def test_bfloat16_is_near_float32(model_folder):
    exact, near = (vldeformer.load(model_folder("squares"), precision=name) for name in ("float32", "bfloat16"))
    found = near.encode_text(CAPTIONS)
    assert found.dtype == np.float32 and 0 < np.abs(found - exact.encode_text(CAPTIONS)).max() < 0.1


def test_what_cannot_be_encoded_is_named(model_folder, region_store):
    pixels, regions = vldeformer.load(model_folder("squares")), vldeformer.load(model_folder("oscar"))
    seen = region_store[region_store.ids[0]]
    wide = Regions(np.zeros((2, 99)), np.zeros((2, 4)), ("a", "b"))
    lost = Regions(np.full_like(seen.features, np.nan), seen.boxes, seen.tags)
    for call, given, expected in (
        (pixels.encode_text, "a dog", "texts: expected a list of captions, got one str; write [text]"),
        (pixels.encode_text, ["a dog", None], "texts[1]: expected a caption (str), got NoneType"),
        (pixels.encode_text, torch.zeros(3, 25, dtype=torch.int64), "got torch.int64 of shape (3, 25)"),
        (pixels.encode_images, PICTURES[0], "images: expected a list of images, got one Image; write [image]"),
        (pixels.encode_images, np.zeros((9, 9, 3), np.uint8), "images: expected a list of images, got one ndarray"),
        (pixels.encode_images, "dog.jpg", "images: expected a list of images, got one str"),
        (pixels.encode_images, ["dog.jpg"], "images[0]: expected a PIL image or an array"),
        (pixels.encode_images, [PICTURES[0], seen], "images[1]: this model reads pixels"),
        (regions.encode_images, [seen, PICTURES[0]], "images[1]: this model reads regions and carries no detector"),
        (regions.encode_images, [wide], "images[0]: expected features (2, 18) and boxes (2, 4), got (2, 99) and (2, 4)"),
        (
            regions.encode_images,
            [Regions([[1.0]], [[0.0] * 4], ("a",))],
            "images[0]: expected features as a NumPy array of floats",
        ),
        (
            regions.encode_images,
            [seen, Regions(seen.features, seen.boxes, "dog")],
            "images[1]: expected tags as a tuple of words",
        ),
        (regions.encode_images, [lost], "images[0]: features or boxes hold NaN or infinity"),
    ):
        assert expected in refusal(call, given)
    for size in (0, 1.5, "8"):
        expected = f"batch_size: expected a whole number, at least 1, got {size!r}"
        assert expected in refusal(pixels.encode_text, ["a"], batch_size=size)
    assert "path_or_hub_id: expected a folder or a hub id, got None" in refusal(vldeformer.load, None)


NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"device": "gpu"}, "device: expected cpu or cuda, got 'gpu'"),
        ({"precision": "float16"}, "precision: expected float32 or bfloat16, got 'float16'"),
        pytest.param({"device": "cuda"}, "device is cuda but torch sees no GPU here", marks=NO_GPU),
    ],
)
def test_a_device_or_precision_that_is_not_there_is_named(model_folder, options, expected):
    assert expected in refusal(vldeformer.load, model_folder("squares"), **options)


def test_a_batch_in_one_array_is_a_list_of_images(model_folder, pixel_store):
    encoder = vldeformer.load(model_folder("squares"))
    stacked = pixel_store.batch(pixel_store.ids[:3])
    np.testing.assert_array_equal(encoder.encode_images(stacked), encoder.encode_images(list(stacked)))
