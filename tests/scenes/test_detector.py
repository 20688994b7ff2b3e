"""The fitted detector: right most of the time, carried by arrays, the same with any number of workers."""

import numpy as np
import pytest

from vldeformer.data.pixels import PixelStore, write_pixels
from vldeformer.data.regions import RegionStore, write_regions
from vldeformer.errors import InputError
from vldeformer.scenes.detector import NOTHING, Detector, detect_regions, intersection_over_union
from vldeformer.scenes.drawing import draw, object_boxes
from vldeformer.scenes.world import generate_scenes
from vldeformer.scenes.world_settings import RegionSettings, SceneSettings

WORLD = SceneSettings(pretrain_images=250, train_images=1, val_images=1, test_images=70, image_size=96, seed=7)
SETTINGS = RegionSettings(pca_components=16, max_regions=6, dtype="float16", seed=1)


@pytest.fixture(scope="module")
def scenes():
    return list(generate_scenes(WORLD))


@pytest.fixture(scope="module")
def pictures(scenes):
    return {scene.id: draw(scene, 96) for scene in scenes}


@pytest.fixture(scope="module")
def detector(scenes, pictures):
    return Detector.fit(pictures, [scene for scene in scenes if scene.split == "pretrain"], SETTINGS)


def test_regions_are_well_formed(scenes, pictures, detector):
    for scene in scenes[-20:]:
        regions = detector.regions(pictures[scene.id])
        count = len(regions.tags)
        assert 1 <= count <= SETTINGS.max_regions
        assert regions.features.shape == (count, detector.feature_width) and regions.features.dtype == np.float32
        assert detector.feature_width == 16 + 14
        assert regions.boxes.shape == (count, 4) and regions.boxes.min() >= 0 and regions.boxes.max() <= 1


def test_tags_are_mostly_right_on_unseen_pictures(scenes, pictures, detector):
    right = total = 0
    for scene in scenes:
        if scene.split == "test":
            regions = detector.regions(pictures[scene.id])
            overlaps = intersection_over_union(object_boxes(scene, 96) / 96, regions.boxes)
            for item, row in zip(scene.objects, overlaps, strict=True):
                total += 1
                right += row.max() > 0.5 and regions.tags[row.argmax()] == f"{item.colour} {item.shape}"
    assert right / total > 0.85


def test_a_picture_without_objects_is_one_region(detector):
    regions = detector.regions(np.full((96, 96, 3), 128, np.uint8))
    assert regions.tags == (NOTHING,)
    np.testing.assert_array_equal(regions.boxes, [[0, 0, 1, 1]])
    assert np.isfinite(regions.features).all()


def test_most_regions_are_kept_largest_first(detector):
    few = Detector(**{**vars(detector), "max_regions": 1})
    picture = np.full((96, 96, 3), 128, np.uint8)
    picture[10:20, 10:20] = (255, 0, 0)
    picture[40:80, 40:80] = (0, 0, 255)
    regions = few.regions(picture)
    np.testing.assert_allclose(regions.boxes, np.array([[40, 40, 80, 80]]) / 96, rtol=1e-6)


def test_saved_and_loaded_is_the_same(detector, scenes, pictures, tmp_path):
    detector.save(tmp_path / "extractor.npz")
    loaded = Detector.load(tmp_path / "extractor.npz")
    for scene in scenes[:5]:
        ours, theirs = detector.regions(pictures[scene.id]), loaded.regions(pictures[scene.id])
        np.testing.assert_array_equal(ours.features, theirs.features)
        assert ours.tags == theirs.tags
    detector.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "extractor.npz").read_bytes()


@pytest.mark.slow
def test_number_of_workers_changes_nothing(detector, scenes, pictures, tmp_path):
    ids = [scene.id for scene in scenes if scene.split == "test"]
    write_pixels(tmp_path / "pixels", ids, (pictures[name] for name in ids), (96, 96))
    drawn = PixelStore(tmp_path / "pixels")
    write_regions(tmp_path / "two", detect_regions(detector, drawn, ids, workers=2), detector.feature_width)
    store = RegionStore(tmp_path / "two")
    assert store.ids == ids
    for image_id in ids:
        alone = detector.regions(pictures[image_id])
        np.testing.assert_array_equal(store[image_id].features, alone.features.astype(np.float16))
        np.testing.assert_array_equal(store[image_id].boxes, alone.boxes)
        assert store[image_id].tags == alone.tags


def test_fitting_twice_gives_the_same_arrays(detector, scenes, pictures):
    again = Detector.fit(pictures, [scene for scene in scenes if scene.split == "pretrain"], SETTINGS)
    np.testing.assert_array_equal(again.shape_coef, detector.shape_coef)
    np.testing.assert_array_equal(again.pca_components, detector.pca_components)


def test_labels_of_other_splits_are_refused(scenes, pictures):
    with pytest.raises(InputError, match="train-000000"):
        Detector.fit(pictures, scenes, SETTINGS)


def test_too_few_regions_for_the_components(scenes, pictures):
    with pytest.raises(InputError, match="pca_components = 16"):
        Detector.fit(pictures, scenes[:2], SETTINGS)


def test_damaged_or_missing_file(detector, tmp_path):
    path = tmp_path / "extractor.npz"
    with pytest.raises(InputError, match="found no file"):
        Detector.load(path)
    detector.save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match=r"extractor\.npz: expected a region detector"):
        Detector.load(path)
    np.savez(path, something=np.zeros(3))
    with pytest.raises(InputError, match=r"extractor\.npz: expected a region detector"):
        Detector.load(path)


def test_intersection_over_union_by_hand():
    a = np.array([[0, 0, 2, 2], [4, 4, 5, 5]])
    b = np.array([[1, 1, 3, 3], [0, 0, 2, 2]])
    np.testing.assert_allclose(intersection_over_union(a, b), [[1 / 7, 1], [0, 0]])
