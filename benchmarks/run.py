"""Every benchmark in turn, then the page: `make benchmarks`. Names choose some: `python benchmarks/run.py embed page`.

The machine's ceilings come first. A benchmark that fails loses neither the others nor its own earlier file; all that failed are
named in the end.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CAPTIONS = ROOT.parent / "shared" / "data" / "flickr30k" / "dataset_flickr30k.json"
ORDER: dict[str, tuple[str | Path, ...]] = {
    "ceilings": (),
    "embed": (),
    "joint_against_decomposed": (),
    "random_features": (),
    "training_step": (),
    "exact_ranks": (),
    "nearest": ("--captions", CAPTIONS, "--keep", ROOT / "artifacts" / "benchmarks"),
    "stages": (),
    "serve_load": (),
    "grad_cache": (),
    "import_features": (),
    "float16_features": (),
    "startup": ("--project", ROOT),
    "page": (),
}
"""What each is told. `vilt_throughput` needs a GPU: by hand."""


def main() -> int:
    """Run the chosen ones; 1 if any of them failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(ORDER)}; none: all of them")
    names = parser.parse_args().names or list(ORDER)
    unknown = [name for name in names if name not in ORDER]
    if unknown:
        parser.error(f"{unknown[0]!r}: expected one of {', '.join(ORDER)}")
    failed = []
    for name in names:
        started = time.monotonic()
        print(f"== {name}", flush=True)
        out = [] if name == "page" else ["--out", HERE / f"{name}.json"]
        command = [sys.executable, HERE / f"{name}.py", *ORDER[name], *out]
        code = subprocess.run([*map(str, command)], check=False, cwd=ROOT).returncode
        print(f"== {name}: {'done' if code == 0 else f'FAILED ({code})'} after {time.monotonic() - started:.0f} s", flush=True)
        if code:
            failed.append(name)
    if failed:
        print(f"failed, and their files are as they were: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
