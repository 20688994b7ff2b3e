"""Record the fingerprints of the steps whose VERSION has none yet: ``make record-versions``.

A fingerprint that is recorded for a VERSION is never overwritten: a change of what a step computes needs a new VERSION.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from fingerprints.cases import CASES, version_of
from fingerprints.values import differences
from fingerprints.world import World

RECORDED = Path(__file__).parent / "recorded"


def read(step):
    """VERSION as text → case → fingerprint, as recorded; {} for a step without a file."""
    path = RECORDED / f"{step}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def merged(step, version, recorded, found):
    """The content of a step's file with ``found``, case → fingerprint, recorded for ``version``.

    New cases of a VERSION are added. Older versions go: what they computed cannot be computed again.
    Raises SystemExit if a case is recorded for this VERSION already with another fingerprint.
    """
    known = recorded.get(str(version), {})
    for case, fingerprint in found.items():
        changed = next(differences(known[case], fingerprint), None) if case in known else None
        if changed:
            raise SystemExit(
                f"step {step}: case {case!r} is recorded for VERSION {version} with another fingerprint ({changed}); "
                f"raise VERSION in steps/{step}.py, then record"
            )
    if recorded and max(map(int, recorded)) > version:
        raise SystemExit(f"step {step}: VERSION is {version}, but {max(map(int, recorded))} is recorded; VERSION only rises")
    return {str(version): dict(sorted((found | known).items()))}


def main(arguments=None):
    """Record all steps, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("steps", nargs="*", metavar="STEP", help="steps to record; none: all")
    asked = parser.parse_args(arguments).steps or list(CASES)
    unknown = sorted(set(asked) - set(CASES))
    if unknown:
        raise SystemExit(f"step {unknown[0]!r} has no cases; expected some of {', '.join(CASES)}")
    RECORDED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for step in asked:
            found = {name: run(world) for name, run in CASES[step].items()}
            content = merged(step, version_of(step), read(step), found)
            path = RECORDED / f"{step}.json"
            path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            print(f"{path.name}: VERSION {version_of(step)}, {len(found)} cases", file=sys.stderr)


if __name__ == "__main__":
    main()
