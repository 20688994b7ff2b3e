"""Step `features`: pixels → regions, tags and features, by the extractor that `regions.kind` names."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import OutFolder, RawFolder, SettingsFile

if TYPE_CHECKING:
    from vldeformer.extractors.settings import PhotographRegions
    from vldeformer.scenes.world_settings import RegionSettings

VERSION = 1


def features(
    *,
    settings: SettingsFile,
    raw_dir: Annotated[RawFolder | None, Parameter(help="folder of scenes.jsonl (regions.kind: scenes)")] = None,
    prepared: Annotated[Path, Parameter(help="folder made by `prepare`")],
    out: OutFolder,
) -> None:
    """Extract regions, features and tags from pixels.

    Continues an interrupted run over photographs. Writes ``store/`` (a region store) and the extractor: ``extractor.npz`` (for
    `scenes`, fitted on the pre-training images) or ``extractor.safetensors`` (for photographs, standardised on the training
    images).
    """
    from vldeformer.artifact import check_replaceable
    from vldeformer.errors import InputError
    from vldeformer.extractors.settings import PhotographRegions
    from vldeformer.steps.settings_file import read_regions

    section = read_regions(settings, VERSION)
    if isinstance(section, PhotographRegions):
        check_replaceable(out)
        _of_photographs(section, prepared, out)
    elif raw_dir is None:
        raise InputError("regions.kind is scenes: expected --raw-dir, the folder of scenes.jsonl; give it")
    else:
        _of_scenes(section, raw_dir, prepared, out)


def _of_scenes(section: "RegionSettings", raw_dir: Path, prepared: Path, out: Path) -> None:
    import time

    from joblib import cpu_count
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it has no types

    from vldeformer.artifact import RECORD, whole_folder, write_json
    from vldeformer.data.pixels import PixelStore
    from vldeformer.data.regions import write_regions
    from vldeformer.extractors.scenes import ScenesExtractor
    from vldeformer.provenance import provenance
    from vldeformer.scenes.detector import Detector, detect_regions
    from vldeformer.scenes.records import read_scenes
    from vldeformer.steps.progress import progress_bar

    started = time.monotonic()
    pixels, raw, workers = PixelStore(prepared / "pixels"), raw_dir / "scenes.jsonl", cpu_count()
    labelled = [scene for scene in read_scenes(raw) if scene.split == "pretrain"]
    # One BLAS thread: float sums, and so the stored features, must not depend on the cores that a scheduler grants.
    with threadpool_limits(1):
        detector = Detector.fit(pixels, labelled, section, workers)
    with whole_folder(out) as folder:
        found = detect_regions(detector, pixels, pixels.ids, workers)
        shown = progress_bar(found, total=len(pixels), unit="image", desc="regions")
        write_regions(folder / "store", shown, detector.feature_width, section.dtype)
        ScenesExtractor(detector).save(folder)
        inputs = {"raw": raw, "pixels": prepared / "pixels"}
        write_json(folder / RECORD, provenance({"regions": section.model_dump(mode="json")}, inputs, started))


def _of_photographs(section: "PhotographRegions", prepared: Path, out: Path) -> None:
    import sys
    import time

    from joblib import cpu_count

    from vldeformer.artifact import RECORD, finish_part, write_json
    from vldeformer.content_digest import digest
    from vldeformer.data.manifest import Manifest
    from vldeformer.data.photographs import open_pictures
    from vldeformer.extractors.photographs import open_network
    from vldeformer.extractors.store import PROGRESS, STORE, write_photograph_regions
    from vldeformer.folder_lock import folder_lock
    from vldeformer.provenance import provenance
    from vldeformer.steps.progress import progress_bar

    started = time.monotonic()
    manifest, pixels = prepared / "manifest.json", prepared / "pixels"
    images, pictures = Manifest.load(manifest), open_pictures(pixels)
    split = "pretrain" if "pretrain" in images.splits else "train"
    fitted_on = [image.id for image in images.split(split).images]
    described = {"regions": section.model_dump(mode="json")}
    key = described | {"manifest": images.digest, "pixels": digest(pixels)}
    part = out.with_name(f"{out.name}.part")
    bar = progress_bar(total=len(pictures), unit="image", desc="regions")
    with folder_lock(out):
        with bar:
            left_out = write_photograph_regions(
                part, section, lambda: open_network(section), pictures, fitted_on, key, cpu_count(), bar.update
            )
        record = provenance(described, {"manifest": manifest, "pixels": pixels}, started)
        write_json(part / RECORD, record | {"left_out": left_out})
        finish_part(part, out, (STORE,))
        (out / PROGRESS).unlink()
    for problem in left_out.values():
        print(problem, file=sys.stderr)
    if left_out:
        print(f"{len(left_out):,} of {len(pictures):,} photographs have no regions: they cannot be read", file=sys.stderr)
