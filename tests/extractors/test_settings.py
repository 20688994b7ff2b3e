"""The section ``regions``: what was written before there were kinds stays valid, and each kind refuses the others' keys."""

import pytest
from pydantic import TypeAdapter, ValidationError

from vldeformer.extractors.settings import AnyRegionSettings, EfficientNetLite0Regions, HubRegions
from vldeformer.scenes.world_settings import RegionSettings

OLD = {"pca_components": 4, "max_regions": 6, "dtype": "float16", "seed": 0}
ADAPTER = TypeAdapter(AnyRegionSettings)


def test_settings_without_a_kind_are_those_of_the_built_in_world_and_are_written_as_before():
    old, new = ADAPTER.validate_python(OLD), ADAPTER.validate_python({"kind": "scenes"} | OLD)
    assert old == new and isinstance(old, RegionSettings)
    assert old.model_dump(mode="json") == OLD and old.model_dump_json() == new.model_dump_json()


def test_the_kinds_of_photographs_need_few_keys():
    network = ADAPTER.validate_python({"kind": "efficientnet_lite0", "dtype": "float16"})
    assert isinstance(network, EfficientNetLite0Regions) and (network.grid, network.image_size) == (3, 224)
    hub = ADAPTER.validate_python({"kind": "hub", "model": "facebook/dinov2-small", "dtype": "float32"})
    assert isinstance(hub, HubRegions) and hub.model_dump()["kind"] == "hub"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"kind": "scenes", **OLD, "grid": 3}, "Extra inputs"),
        ({"kind": "efficientnet_lite0", **OLD}, "Extra inputs"),
        ({"kind": "efficientnet_lite0", "dtype": "float16", "model": "x"}, "Extra inputs"),
        ({"kind": "efficientnet_lite0", "dtype": "float16", "image_size": 200}, "multiple of 32"),
        ({"kind": "hub", "dtype": "float16"}, "Field required"),
        ({"kind": "hub", "dtype": "float16", "model": "x", "image_size": 224}, "Extra inputs"),
        ({"kind": "resnet"}, "does not match any of the expected tags"),
        (7, "valid dictionary"),
    ],
)
def test_what_is_refused(values, problem):
    with pytest.raises(ValidationError, match=problem):
        ADAPTER.validate_python(values)
