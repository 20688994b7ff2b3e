"""Step `features`: pixels → regions, tags and features, by a detector fitted on the pre-training images."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import OutFolder, RawFolder, SettingsFile

VERSION = 1


def features(
    *,
    settings: SettingsFile,
    raw_dir: Annotated[RawFolder, Parameter(help="folder of scenes.jsonl")],
    prepared: Annotated[Path, Parameter(help="folder of `prepare`")],
    out: OutFolder,
) -> None:
    """Pixels → regions, features and tags.

    Writes ``store/`` (a region store) and ``extractor.npz`` (the detector, fitted on the pre-training images).
    """
    import time

    from joblib import cpu_count
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it has no types

    from vldeformer.artifact import RECORD, whole_folder, write_json
    from vldeformer.data.pixels import PixelStore
    from vldeformer.data.regions import write_regions
    from vldeformer.provenance import provenance
    from vldeformer.scenes.detector import Detector, detect_regions
    from vldeformer.scenes.records import read_scenes
    from vldeformer.scenes.world_settings import RegionSettings
    from vldeformer.steps.progress import progress_bar
    from vldeformer.steps.settings_file import read_section

    started = time.monotonic()
    section = read_section(settings, "regions", RegionSettings, VERSION)
    pixels, raw, workers = PixelStore(prepared / "pixels"), raw_dir / "scenes.jsonl", cpu_count()
    labelled = [scene for scene in read_scenes(raw) if scene.split == "pretrain"]
    # One BLAS thread: float sums, and so the stored features, must not depend on the cores that a scheduler grants.
    with threadpool_limits(1):
        detector = Detector.fit(pixels, labelled, section, workers)
    with whole_folder(out) as folder:
        found = detect_regions(detector, pixels, pixels.ids, workers)
        shown = progress_bar(found, total=len(pixels), unit="image", desc="regions")
        write_regions(folder / "store", shown, detector.feature_width, section.dtype)
        detector.save(folder / "extractor.npz")
        inputs = {"raw": raw, "pixels": prepared / "pixels"}
        write_json(folder / RECORD, provenance({"regions": section.model_dump(mode="json")}, inputs, started))
