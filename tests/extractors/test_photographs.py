"""A photograph's regions: standardised by the images of the fit, alone or among others, saved and read again."""

import numpy as np
import pytest
import torch
from safetensors.torch import load, load_file, save_file
from vision_models import photograph, save_vision_model, write_packages

from vldeformer.errors import InputError
from vldeformer.extractors.files import load_extractor
from vldeformer.extractors.grid import cell_boxes, pooled_cells
from vldeformer.extractors.photographs import PhotographExtractor, open_network
from vldeformer.extractors.scenes import ScenesExtractor
from vldeformer.extractors.settings import EfficientNetLite0Regions, HubRegions

IMAGES = [photograph(seed, 40 + 3 * seed, 50) for seed in range(6)]


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub") / "vit"
    save_vision_model(folder, "vit")
    return HubRegions(kind="hub", model=str(folder), grid=2, tags=2, least_probability=0.0, dtype="float32")


@pytest.fixture(scope="module")
def extractor(settings):
    return PhotographExtractor.fit(settings, open_network(settings), IMAGES)


@pytest.fixture(scope="module")
def lite0(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        write_packages(tmp_path_factory.mktemp("site") / "packages", patch=patch)
        settings = EfficientNetLite0Regions(
            kind="efficientnet_lite0", grid=2, tags=3, least_probability=0.0, dtype="float16", image_size=64
        )
        return PhotographExtractor.fit(settings, open_network(settings), IMAGES)


def test_features_are_the_cells_standardised_over_the_images_of_the_fit(settings, extractor):
    network = open_network(settings)
    cells = []
    for image in IMAGES:
        with torch.inference_mode():
            feature_map, _ = network(network.preparation(image))
        cells.append(pooled_cells(feature_map[0].numpy(), 2).astype(np.float64))
    together = np.concatenate(cells)
    for feature in range(extractor.feature_width):
        mean = sum(together[:, feature]) / len(together)
        deviation = (sum((value - mean) ** 2 for value in together[:, feature]) / len(together)) ** 0.5
        assert extractor.mean[feature] == pytest.approx(mean, abs=1e-5)
        assert extractor.deviation[feature] == pytest.approx(deviation, rel=1e-3)
    for image, expected in zip(IMAGES, cells, strict=True):
        found = extractor.regions(image)
        np.testing.assert_allclose(found.features, (expected - extractor.mean) / extractor.deviation, atol=1e-4)
        np.testing.assert_array_equal(found.boxes, cell_boxes(4, 4, 2))
        assert found.features.dtype == np.float32 and set(found.tags) <= {"tench", "golden retriever"}


def test_the_whole_image_comes_first_if_asked_for(settings, extractor):
    whole = PhotographExtractor(
        settings.model_copy(update={"whole_image": True}), open_network(settings), extractor.mean, extractor.deviation
    )
    network = open_network(settings)
    with torch.inference_mode():
        feature_map = network(network.preparation(IMAGES[0]))[0][0].numpy()
    found, cells = whole.regions(IMAGES[0]), extractor.regions(IMAGES[0])
    mean = sum(feature_map[:, row, column] for row in range(4) for column in range(4)) / 16
    np.testing.assert_allclose(found.features[0], (mean - extractor.mean) / extractor.deviation, atol=1e-4)
    assert found.boxes[0].tolist() == [0, 0, 1, 1]
    np.testing.assert_array_equal(found.features[1:], cells.features)
    np.testing.assert_array_equal(found.boxes[1:], cells.boxes)
    assert found.tags == cells.tags


def test_an_images_numbers_depend_on_no_other(extractor, lite0):
    for each in (extractor, lite0):
        alone = [each.regions(image) for image in IMAGES]
        backwards = [each.regions(image) for image in reversed(IMAGES)][::-1]
        for first, second in zip(alone, backwards, strict=True):
            np.testing.assert_array_equal(first.features, second.features)
            assert first.tags == second.tags
        assert np.abs(alone[0].features - alone[1].features).max() > 0.1


def test_a_feature_that_never_changes_stays_small(settings):
    extractor = PhotographExtractor.fit(settings, open_network(settings), [IMAGES[0]] * 3)
    assert (extractor.deviation > 0).all() and np.abs(extractor.regions(IMAGES[1]).features).max() < 6e4
    with pytest.raises(InputError, match="found none that can be read"):
        PhotographExtractor.fit(settings, open_network(settings), [])


def test_saved_and_read_again_is_the_same_without_package_and_hub(extractor, lite0, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for each in (extractor, lite0):
        each.save(tmp_path)
        again = load_extractor(tmp_path)
        assert again.settings == each.settings.portable() and again.feature_width == each.feature_width
        for image in IMAGES[:2]:
            ours, theirs = each.regions(image), again.regions(image)
            np.testing.assert_array_equal(ours.features, theirs.features)
            assert ours.tags == theirs.tags and (ours.boxes == theirs.boxes).all()
        before = (tmp_path / each.file_name).read_bytes()
        assert b"/vit" not in before, "no path of this machine"
        again.save(tmp_path)
        assert (tmp_path / each.file_name).read_bytes() == before


def test_bfloat16_is_near_and_keeps_the_weights_in_float32(settings, extractor, tmp_path):
    half = settings.model_copy(update={"precision": "bfloat16"})
    rough = PhotographExtractor(half, open_network(half), extractor.mean, extractor.deviation)
    assert np.abs(rough.regions(IMAGES[0]).features - extractor.regions(IMAGES[0]).features).mean() < 0.1
    rough.save(tmp_path)
    stored = load_file(tmp_path / rough.file_name)
    assert {tensor.dtype for tensor in stored.values()} == {torch.float32}
    np.testing.assert_array_equal(load_extractor(tmp_path).regions(IMAGES[0]).features, rough.regions(IMAGES[0]).features)


def test_a_damaged_file_is_refused_in_one_line(extractor, tmp_path):
    path = tmp_path / extractor.file_name
    with pytest.raises(InputError, match="found no file"):
        PhotographExtractor.load(path)
    assert load_extractor(tmp_path) is None
    extractor.save(tmp_path)
    content = path.read_bytes()
    tensors = load(content)

    def refused():
        with pytest.raises(InputError, match=r"extractor\.safetensors: expected an extractor written by") as caught:
            PhotographExtractor.load(path)
        assert "\n" not in str(caught.value)

    path.write_bytes(content[: len(content) // 2])
    refused()
    save_file(tensors, path)
    refused()
    path.write_bytes(content.replace(b'\\"grid\\": 2', b'\\"grid\\": 0'))
    refused()
    path.write_bytes(content.replace(b'\\"kind\\": \\"hub\\"', b'\\"kind\\": \\"hut\\"'))
    refused()


def test_the_detector_of_the_built_in_world_is_an_extractor(tiny, pixel_store, tmp_path):
    import PIL.Image

    extractor = load_extractor(tiny.features)
    assert isinstance(extractor, ScenesExtractor)
    pixels = np.asarray(pixel_store[pixel_store.ids[0]])
    found, expected = extractor.regions(PIL.Image.fromarray(pixels)), extractor.detector.regions(pixels)
    np.testing.assert_array_equal(found.features, expected.features)
    assert found.tags == expected.tags and extractor.feature_width == found.features.shape[1]
    extractor.save(tmp_path)
    assert (tmp_path / "extractor.npz").read_bytes() == (tiny.features / "extractor.npz").read_bytes()
