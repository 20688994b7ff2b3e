"""Copies the tables of a finished run into README.md, between `<!-- results: DATASET -->` and `<!-- end -->`.

Run by `make readme`. A test calls `filled` and fails when README.md differs from what the results say.
"""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ABLATIONS = ("negatives", "start")
"""Tables of the target `ablations` that the README shows, where they are; the others lie beside them."""
SECTION = re.compile(r"(<!-- results: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(readme: str, root: Path) -> str:
    """README with the results of every dataset that has some; a dataset without results keeps what stands there."""
    return SECTION.sub(
        lambda match: match[1] + (_section(root, match[2]) or match[0][len(match[1]) : -len(match[3])]) + match[3], readme
    )


def _section(root: Path, dataset: str) -> str:
    results = root / "results" / dataset
    if not (results / "metrics.json").is_file():
        return ""
    # The ablations' drop is over all seeds.
    judged = results / "ablations" if (results / "ablations" / "metrics.json").is_file() else results
    metrics, speed, over_seeds = (
        json.loads(path.read_text(encoding="utf-8"))
        for path in (results / "metrics.json", results / "speed.json", judged / "metrics.json")
    )
    recall, times, drops = _table(results, "recall"), _table(results, "speed"), _table(judged, "recall_drop")
    drop = over_seeds["recall_drops"][metrics["recall_drop"]["model"]]
    seeds = f"{drop['seeds']} seeds" if drop["seeds"] > 1 else "one seed"
    first = (
        f"Decomposed retrieval of {speed['n_images']:,} images × {speed['n_captions']:,} captions takes "
        f"{speed['dual_seconds']:.1f} s, "
        f"joint {speed['joint_seconds_extrapolated']:,.0f} s (extrapolated from {speed['sampled_pairs']:,} pairs): "
        f"**{speed['speedup']:,.0f} times faster**. Mean recall {'drops' if drop['value'] >= 0 else 'rises'} by "
        f"**{abs(drop['value']):.2f} points** on the same pairs ({seeds}; 95 % interval of the drop "
        f"{drop['low']:.2f} to {drop['high']:.2f}); the claim of a drop of less than {drop['claim']}: *{drop['verdict']}*."
    )
    shown = {"Recalls with intervals": "recalls", "Time of a query": "gallery_time", "Training curves": "training"}
    figures = "\n\n".join(f"![{title}](results/{dataset}/figures/{name}.svg)" for title, name in shown.items())
    choices = [_table(judged, name) for name in ABLATIONS if (judged / "tables" / f"{name}.md").is_file()]
    shown_tables = [recall, drops, *choices, figures, times]
    return "\n\n".join(["", first, *shown_tables, ""]).lstrip("\n") + "\n"


def _table(results: Path, name: str) -> str:
    return (results / "tables" / f"{name}.md").read_text(encoding="utf-8").strip()


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(filled(path.read_text(encoding="utf-8"), ROOT), encoding="utf-8")
