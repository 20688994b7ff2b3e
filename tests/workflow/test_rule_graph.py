"""The picture of the rules in the docs is that of the workflow, and is drawn the same every time."""

import importlib.util
import re

import networkx as nx
from workflow_projects import ROOT

spec = importlib.util.spec_from_file_location("rule_graph", ROOT / "docs" / "rule_graph.py")
rule_graph = importlib.util.module_from_spec(spec)
spec.loader.exec_module(rule_graph)


def test_the_picture_in_the_docs_is_that_of_the_workflow(real_project):
    graph = rule_graph.rules(real_project.folder)
    assert graph.has_edge("pretrain", "train") and graph.has_edge("report", "page") and graph.has_edge("page", "all")
    committed = (ROOT / "docs" / "rule-graph.svg").read_text(encoding="utf-8")
    assert rule_graph.drawing(graph) == committed, "run `make rule-graph`"


def test_every_rule_is_below_what_it_reads_and_no_line_is_lost():
    graph = nx.DiGraph([("a", "b"), ("b", "c"), ("a", "c"), ("a", "d"), ("d", "e"), ("c", "e"), ("b", "e")])
    joined, layers = rule_graph.rows(graph)
    row = {name: index for index, layer in enumerate(layers) for name in layer}
    assert all(row[above] < row[below] for above, below in graph.edges)
    assert all(abs(row[one] - row[other]) == 1 for one, other in joined.edges)
    passed = {name for name in joined if "@" in name}
    assert {re.split("[>@]", name)[0] + re.split("[>@]", name)[1] for name in passed} == {"ac", "be", "de"}


def test_the_order_in_which_edges_are_told_does_not_matter():
    edges = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("a", "e"), ("e", "d")]
    assert rule_graph.drawing(nx.DiGraph(edges)) == rule_graph.drawing(nx.DiGraph(edges[::-1]))
