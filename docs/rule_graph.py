"""Draws docs/rule-graph.svg: the rules of the target `all` of the default run, as `snakemake --rulegraph` tells them.

Run by `make rule-graph`; a test fails when the picture is not that of the workflow. Nothing but Python is needed to draw it.
"""

import re
import subprocess
import sys
from html import escape
from pathlib import Path

import networkx as nx

ROOT = Path(__file__).resolve().parent.parent
WIDTH, HEIGHT, ACROSS, NARROW, DOWN, MARGIN = 150, 30, 170, 40, 66, 20
STYLE = (
    "text{font:13px sans-serif;text-anchor:middle;fill:#1b1f24}rect{fill:#eef3fa;stroke:#5b7ba8}path{fill:none;stroke:#7a828e}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}rect{fill:#1d2a3a;stroke:#6f93c4}}"
)


def rules(project: Path) -> nx.DiGraph:
    """Rule → rule that reads what it makes, of the target `all` in a folder with the workflow."""
    command = [str(Path(sys.executable).with_name("snakemake")), "--rulegraph", "dot", "all"]
    told = subprocess.run(command, cwd=project, check=True, capture_output=True, text=True).stdout
    names = dict(re.findall(r'(\d+)\[label = "(\w+)"', told))
    edges = [(names[a], names[b]) for a, b in re.findall(r"(\d+) -> (\d+)", told)]
    graph = nx.DiGraph(sorted(edges))
    return nx.transitive_reduction(graph)  # what is read by way of others needs no line of its own


def rows(graph: nx.DiGraph) -> tuple[nx.DiGraph, list[list[str]]]:
    """Rules by rows, each below all that it reads; a long line passes the rows between through a place of its own, `A>B@ROW`.

    Within a row all stand near the middle of what they are joined to.
    """
    row = {name: index for index, layer in enumerate(nx.topological_generations(graph)) for name in layer}
    joined = nx.Graph()
    layers: list[list[str]] = [[] for _ in range(max(row.values()) + 1)]
    for name in sorted(row):
        layers[row[name]].append(name)
    for above, below in sorted(graph.edges):
        passed = [f"{above}>{below}@{each}" for each in range(row[above] + 1, row[below])]
        nx.add_path(joined, [above, *passed, below])
        for each, name in enumerate(passed, row[above] + 1):
            layers[each].append(name)
    row |= {name: index for index, layer in enumerate(layers) for name in layer}
    for sweep in range(24):
        step = -1 if sweep % 2 == 0 else 1  # down by what is above, up by what is below
        for layer in layers[::-step]:
            place = {name: index / (len(other) + 1) for other in layers for index, name in enumerate(other, 1)}
            near = {name: [place[other] for other in joined[name] if row[other] == row[name] + step] for name in layer}
            middle = {name: sum(places) / len(places) if places else place[name] for name, places in near.items()}
            layer.sort(key=lambda name, middle=middle: (middle[name], name))
    return joined, layers


def drawing(graph: nx.DiGraph) -> str:
    """The picture as SVG text, the same for the same graph."""
    joined, layers = rows(graph)
    widths = [[NARROW if "@" in name else ACROSS for name in layer] for layer in layers]
    width, height = max(map(sum, widths)) + 2 * MARGIN, (len(layers) - 1) * DOWN + HEIGHT + 2 * MARGIN
    at = {}
    for row, (layer, across) in enumerate(zip(layers, widths, strict=True)):
        left = (width - sum(across)) / 2
        for index, name in enumerate(layer):
            at[name] = (left + sum(across[:index]) + across[index] / 2, MARGIN + row * DOWN)
    lines = []
    for pair in joined.edges:
        (x, y), (u, v) = sorted((at[name] for name in pair), key=lambda place: place[1])
        y, middle = y + HEIGHT, (y + HEIGHT + v) / 2
        lines.append(f'<path d="M{x:g} {y:g}C{x:g} {middle:g} {u:g} {middle:g} {u:g} {v:g}"/>')
    for name, (x, y) in at.items():
        if "@" in name:
            lines.append(f'<path d="M{x:g} {y:g}V{y + HEIGHT:g}"/>')
        else:
            lines.append(f'<rect x="{x - WIDTH / 2:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>')
            lines.append(f'<text x="{x:g}" y="{y + 20:g}">{escape(name.replace("_", " "))}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img">'
    title = "<title>The rules of the pipeline; each reads what those joined to it from above have made</title>"
    return "\n".join([head, title, f"<style>{STYLE}</style>", *sorted(lines), "</svg>"]) + "\n"


if __name__ == "__main__":
    (ROOT / "docs" / "rule-graph.svg").write_text(drawing(rules(ROOT)), encoding="utf-8")
