"""Step `prepare`: raw files → manifest and pixels, checked once."""

import sys
import time

from vldeformer.steps.arguments import OutFolder, RawFolder, SettingsFile

VERSION = 1


def prepare(*, settings: SettingsFile, raw_dir: RawFolder, out: OutFolder) -> None:
    """Convert raw files into a manifest and pixels.

    A source without photographs, such as VinVL's downloads, gives only a manifest.
    """
    from vldeformer.artifact import RECORD, whole_folder, write_json
    from vldeformer.provenance import provenance
    from vldeformer.steps.progress import progress_bar
    from vldeformer.steps.settings_file import read_dataset

    started = time.monotonic()
    dataset = read_dataset(settings, VERSION)
    manifest = dataset.read(raw_dir, _warn)
    if lacking := [split for split in ("train", "val", "test") if split not in manifest.splits]:
        _warn(f"no image is in {' or '.join(lacking)}: a training needs train and val, a judgement test")
    with whole_folder(out) as folder:
        manifest.save(folder / "manifest.json")
        if dataset.gives_pixels:
            with progress_bar(total=len(manifest.images), unit="image", desc="pixels") as bar:
                dataset.write_pixels(folder / "pixels", raw_dir, manifest, bar.update)
        described = {"dataset": dataset.model_dump(mode="json")}
        write_json(folder / RECORD, provenance(described, dataset.recorded_files(raw_dir), started))


def _warn(line: str) -> None:
    print(line, file=sys.stderr)
