"""A row of an ablation is an experiment: one line in one file plans it. `test_records` trains one and finds it in its table."""

import yaml

RUN = {"dataset": "tiny", "experiments": {"all": ["joint", "decomposed"], "ablations": ["temperature"]}}
ROW = "  - {title: Temperature 0.5, at: 0.5, set: {train.loss.temperature: 0.5}}\n"


def short(project):
    """The run, with an ablation of a row that refers to its reference: no table yet."""
    (project.folder / "config" / "short.yaml").write_text(yaml.safe_dump(RUN))
    path = project.folder / "config" / "ablations" / "temperature.yaml"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("  - {title:")))
    return path


def test_a_row_is_planned_by_one_edit(project):
    path = short(project)
    before = project.snakemake("-n", "ablations", config="short")
    assert "artifacts/tiny/base/train" in before and "temperature" not in before
    with path.open("a") as file:
        file.write(ROW)
    after = project.snakemake("-n", "ablations", config="short")
    assert "artifacts/tiny/temperature_0.5/train" in after and "results/tiny/temperature_0.5/test.json" in after
