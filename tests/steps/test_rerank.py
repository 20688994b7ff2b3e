"""The command: results for every depth, the two ends equal to the two models, and one line for what does not fit."""

import json

import numpy as np
import pytest

from vldeformer.cli import main
from vldeformer.evaluation.protocols import evaluate_scored
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.retrieval.embeddings import Embeddings, Scores
from vldeformer.retrieval.ranking import exact_ranks


def options(trained):
    return "--embeddings", trained.embed, "--joint", trained.joint / "model"


@pytest.fixture(scope="module")
def subset(trained, command, write_settings, tmp_path_factory):
    out = tmp_path_factory.mktemp("reranked") / "subset"
    assert command("rerank", write_settings(), out, *options(trained), "--dataset", "tiny") == 0
    return out


def test_every_depth_has_a_result_and_the_ends_are_the_two_models(trained, subset):
    names = {f"depth_{k}{end}" for k in (1, 2, 3, 30) for end in (".json", ".ranks.parquet")}
    assert {path.name for path in subset.iterdir()} == names | {"rerank.json", "provenance.json", "digests.json"}
    assert json.loads((subset / "provenance.json").read_text())["settings"]["all"] is False
    for k, expected in ((1, exact_ranks(Embeddings.load(trained.embed).first(6))), (30, exact_ranks(Scores.load(trained.score)))):
        found = RetrievalResult.load(subset / f"depth_{k}.json")
        assert (found.dataset, found.experiment, found.protocol) == ("tiny", "reranked", "subset")
        assert np.array_equal(found.ranks.i2t, expected.i2t) and np.array_equal(found.ranks.t2i, expected.t2i)


def test_the_result_is_in_the_form_of_every_other(trained, subset, write_settings):
    evaluation = json.loads(write_settings().read_text())["evaluate"]
    from vldeformer.evaluation.measures import EvaluationSettings

    scores = Scores.load(trained.score)
    ordinary = evaluate_scored(scores, "subset", EvaluationSettings(**evaluation), "tiny", "reranked")
    assert RetrievalResult.load(subset / "depth_30.json").summary() == ordinary.summary()


def test_pairs_are_counted_and_times_add_up(subset):
    found = json.loads((subset / "rerank.json").read_text())
    assert (found["n_images"], found["n_captions"]) == (6, 30)
    assert [row["k"] for row in found["depths"]] == [1, 2, 3, 30]
    assert found["depths"][0]["pairs"] <= 6 + 30 and found["depths"][-1]["pairs"] == found["scored_pairs"] == 180
    for row in found["depths"]:
        seconds = found["proposal_seconds"] + row["pairs"] * found["pair_ms"] / 1e3
        assert row["seconds"] == pytest.approx(seconds) and row["query_ms"] > 0
        assert row["ratio"] == pytest.approx(180 * found["pair_ms"] / 1e3 / seconds)
        assert row["mean_recall"] == RetrievalResult.load(subset / f"depth_{row['k']}.json").mean_recall.value


def test_all_of_the_split_is_judged_at_the_main_depth(trained, command, write_settings, tmp_path):
    assert command("rerank", write_settings(), tmp_path / "out", *options(trained), "--all") == 0
    assert {path.name for path in (tmp_path / "out").glob("depth_*.json")} == {"depth_3.json"}
    found = RetrievalResult.load(tmp_path / "out" / "depth_3.json")
    assert found.protocol == "test" and len(found.image_ids) == 10


def test_the_weight_of_the_dual_score_is_tried_on_val(trained, tiny, command, write_settings, tmp_path):
    embedded = tmp_path / "embed"
    assert command("embed", write_settings(), embedded, "--model", trained.dual / "model", "--split", "val") == 0
    given = ("--embeddings", embedded, "--joint", trained.joint / "model", "--split", "val", "--all")
    settings = write_settings(rerank={"depth": 40, "dual_weight": 1e6})
    assert command("rerank", settings, tmp_path / "out", *given) == 0
    found, dual = RetrievalResult.load(tmp_path / "out" / "depth_40.json"), exact_ranks(Embeddings.load(embedded))
    assert found.protocol == "all" and np.array_equal(found.ranks.t2i, dual.t2i), "so heavy a weight leaves the dual order"


def test_vectors_of_other_items_are_refused_in_one_line(trained, command, write_settings, tmp_path, capsys):
    out = tmp_path / "out"
    assert command("rerank", write_settings(), out, *options(trained), "--split", "val", "--all") == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert "the vectors are of 10 images, the manifest's part has 8" in said and str(trained.embed) in said
    assert command("rerank", write_settings(), out, "--embeddings", trained.embed, "--joint", trained.dual / "model") == 2
    assert "no matching head" in capsys.readouterr().err
    assert not out.exists()


def test_help_says_what_is_judged(capsys):
    assert main(["rerank", "--help"]) == 0
    assert "evaluate.joint_images" in capsys.readouterr().out
