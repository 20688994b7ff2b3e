"""The figure of ``nearest.json``: recall against the time of a query, a panel for each number of vectors.

python benchmarks/nearest_figure.py benchmarks/nearest.json benchmarks/nearest.svg
"""

import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt

from vldeformer.artifact import whole_file

COLOURS = {"flat": "#222222", "pq4": "#0b6e4f", "sq8": "#c46210", "hnsw": "#2b59c3", "ivfpq": "#a4243b"}

LOOKS = {"ours": {"marker": "o"}, "faiss": {"marker": "s", "markerfacecolor": "none", "linestyle": ":"}}


def draw(result: Path, out: Path) -> None:
    """Lines and filled marks: with scores computed again; hollow marks: FAISS alone; rings: the settings as they are."""
    points = json.loads(result.read_text(encoding="utf-8"))["points"]
    sizes = sorted({point["rows"] for point in points})
    with plt.rc_context({"svg.hashsalt": "nearest", "font.size": 9}):
        figure, panels = plt.subplots(1, len(sizes), figsize=(3.1 * len(sizes), 3.6), sharey=True, squeeze=False)
        for axes, rows in zip(panels[0], sizes, strict=True):
            for kind, colour in COLOURS.items():
                for by, look in (
                    ("ours", {"marker": "o"}),
                    ("faiss", {"marker": "s", "markerfacecolor": "none", "linestyle": ":"}),
                ):
                    own = [each for each in points if (each["rows"], each["kind"], each["by"]) == (rows, kind, by)]
                    own.sort(key=lambda each: (each["recall_at_10"], each["p50_ms"]))
                    times, found = [each["p50_ms"] for each in own], [each["recall_at_10"] for each in own]
                    name = kind if by == "ours" else f"{kind}, FAISS alone"
                    axes.plot(times, found, color=colour, markersize=4, linewidth=1, label=name, **look)
                    for each in own:
                        if each.get("own_settings"):
                            ring = {"marker": "o", "markersize": 10, "markerfacecolor": "none"}
                            axes.plot(each["p50_ms"], each["recall_at_10"], color=colour, **ring)
            axes.set_xscale("log")
            axes.set_title(f"{rows:,} vectors")
            axes.set_xlabel("median ms of a query")
            axes.grid(alpha=0.3)
        panels[0][0].set_ylabel("recall@10 against exact")
        handles, names = panels[0][0].get_legend_handles_labels()
        figure.legend(handles, names, loc="lower center", ncols=5, frameon=False)
        figure.tight_layout(rect=(0, 0.14, 1, 1))
        with whole_file(out) as temporary:
            figure.savefig(temporary, format="svg", metadata={"Date": None})
        plt.close(figure)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
