"""A raised VERSION makes a step and what follows again, in both engines; a comment in the code makes nothing again."""

import pytest
from versioned_projects import CONFIG

pytestmark = pytest.mark.slow


def test_a_comment_in_any_module_makes_nothing_again(adopted_copy):
    modules = list((adopted_copy.folder / "src" / "vldeformer").rglob("*.py"))
    assert len(modules) > 100
    for module in modules:
        with module.open("a") as file:
            file.write("# a comment\n")
    assert "up to date" in adopted_copy.run("dvc", "status")
    assert "Nothing to be done" in adopted_copy.snakemake("-n", "all")


@pytest.mark.parametrize("step", ["embed", "page"])
def test_a_raised_version_makes_the_step_and_what_follows_in_both_engines(adopted, tmp_path, step):
    last = {"report", "page"}
    follows = {"embed": {"embed", "evaluate", "rerank", *last}, "page": {"page"}}
    made = {}
    for engine, command in {"dvc": ("dvc", "repro"), "snakemake": ("snakemake", *CONFIG, "--cores", "2", "all")}.items():
        project = adopted.copy(tmp_path / engine)
        project.calls()
        project.raise_version(step)
        assert "changed" in project.run("dvc", "status")
        assert "Nothing to be done" not in project.snakemake("-n", "all")
        project.run(*command)
        made[engine] = project.calls()
        assert "up to date" in project.run("dvc", "status") or engine == "snakemake"
    assert made["dvc"] == made["snakemake"] and {name for name, _ in made["dvc"]} == follows[step]


def test_one_model_is_trained_alone_and_no_other_file_is_touched(adopted_copy):
    def times():
        files = [path for top in ("artifacts", "results", "data") for path in (adopted_copy.folder / top).rglob("*")]
        return {path: path.stat().st_mtime_ns for path in files if path.is_file() and "/joint/train/" not in str(path)}

    before = times()
    adopted_copy.run("dvc", "repro", "--force", "--single-item", "train@joint")
    assert adopted_copy.calls() == [("train", "artifacts/tiny/joint/train")]
    assert times() == before
    adopted_copy.raise_version("train")
    adopted_copy.run("dvc", "repro", "--single-item", "settings")
    adopted_copy.run("dvc", "repro", "-s", "train@joint")
    assert adopted_copy.calls() == [("train", "artifacts/tiny/joint/train")], "its settings file has another version"
