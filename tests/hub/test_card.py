"""The card says what the files say, and says of what they do not that it is unknown."""

import json
import shutil

import pytest
from huggingface_hub import ModelCard
from made_reports import drop, recall, report
from older_files import forget

import vldeformer
from vldeformer.content_digest import digest
from vldeformer.errors import InputError
from vldeformer.hub.measured import read_results

RECORD = {
    "settings": {"train": {"kind": "dual", "loss": "infonce", "seed": 7}, "runtime": {"threads": 1}},
    "code": {"version": "0.1.0", "commit": "c" * 40, "dirty": True, "sha256": "5" * 64},
    "packages": {"torch": "2.13.0"},
    "python": "3.11.7",
    "machine": {"processor": "EPYC", "cores": 2, "gpus": []},
    "wall_seconds": 132.4,
    "kept_step": 1200,
    "last_step": 3000,
    "command": ["vldeformer", "train"],
}


@pytest.fixture
def results(tmp_path):
    """A run of a main model and of one more that was not compared."""
    recalls = [recall("decomposed", "test", 50), recall("decomposed", "subset", 30), recall("other", "test", 10)]
    times = {"speedup": 1234.5, "dual_seconds": 2.75, "joint_seconds_extrapolated": 3400.0, "sampled_pairs": 5120}
    times |= {"hardware": "EPYC, 2 cores", "threads": 1}
    made = report(recalls=recalls, drops=[drop("decomposed", 0.25, -0.5, 1.0, seeds=1)])
    folder = tmp_path / "results" / "mine"
    made.model_copy(update={"speed": made.speed.model_copy(update=times)}).save(folder / "report.json")
    return folder


@pytest.fixture
def trained(model_folder, tiny, tmp_path):
    """train/model with the record of the training above it, as the stage `train` leaves them; the model's data are at hand."""
    folder = tmp_path / "run" / "train"
    shutil.copytree(model_folder("squares"), folder / "model")
    shutil.copytree(folder / "model", folder / "last")
    inputs = {"manifest": {"path": str(tiny.manifest), "sha256": digest(tiny.manifest)}}
    (folder / "provenance.json").write_text(json.dumps(RECORD | {"inputs": inputs}))
    return folder


def card_of(folder, source, **given):
    vldeformer.load(source).save_pretrained(folder, **given)
    return (folder / "README.md").read_text()


def test_what_is_not_known_is_said(model_folder, tmp_path):
    text = card_of(tmp_path / "saved", model_folder("squares"))
    assert "## Training data of its parts\n\n- It has no text transformer that was trained on other texts.\n\n## Results" in text
    assert "Not recorded: no record of a training" in text and "Not evaluated: no results were given" in text
    assert "Its training data and the terms of those data are not recorded" in text
    data = ModelCard(text).data
    assert data.library_name == "vldeformer" and data.eval_results is None and data.license is None


def test_the_card_names_the_weights_and_their_size(model_folder, tmp_path):
    encoder = vldeformer.load(model_folder("squares"))
    text = card_of(tmp_path / "saved", model_folder("squares"))
    assert digest(tmp_path / "saved" / "model.safetensors") in text
    assert f"| parameters | {sum(weight.numel() for weight in encoder.model.parameters()):,} |" in text
    assert f"unit vector of\n{encoder.encode_text(['a']).shape[1]} numbers" in text


def test_the_metadata_hold_every_recall_with_its_interval(model_folder, results, tmp_path):
    text = card_of(tmp_path / "saved", model_folder("squares"), results=results)
    found = ModelCard(text).data.eval_results
    measured = {}
    for row in found:
        assert (row.dataset_name, row.dataset_split, row.metric_type) == ("mine", "test", "recall")
        measured[row.dataset_config, row.metric_name] = (row.metric_value, row.metric_args["interval_95"])
    expected = {}
    for protocol, start in (("subset", 30), ("test", 50)):
        for way, more in (("image to text", 0), ("text to image", 20)):
            for k in (1, 5, 10):
                value = start + more + k
                expected[protocol, f"R@{k} {way}, percent"] = (value, [value - 0.5, value + 0.5])
    assert measured == expected


def test_the_text_holds_recalls_drop_and_speed(model_folder, results, tmp_path):
    text = card_of(tmp_path / "saved", model_folder("squares"), results=results)
    row = "| test | 1,000 / 5,000 | text to image | 71.0 [70.5, 71.5] | 75.0 [74.5, 75.5] | 80.0 [79.5, 80.5] |"
    assert row in text.splitlines()
    assert "is 0.25 points\n(-0.50 to 1.00) on the same pairs. The paper claims less than 0.6; verdict here: *unknown*" in text
    assert "take 2.75 s, the joint model 3,400 s (extrapolated from\n5,120 pairs): 1,234 times faster" in text


def test_another_model_of_the_run_gets_its_own_numbers_and_not_the_main_ones_speed(model_folder, results, tmp_path):
    text = card_of(tmp_path / "saved", model_folder("squares"), results=results, experiment="other")
    assert "| image to text | 11.0 [10.5, 11.5] |" in text and "51.0" not in text
    assert "Recall drop against a joint model: not measured" in text and "Time against a joint model: not measured" in text


def test_the_training_is_told_and_travels_with_the_model(trained, tmp_path):
    first = card_of(tmp_path / "first", trained / "model")
    for part in (
        "| data set | tiny (images: ",
        '| loss | `"infonce"` |',
        "| seed | `7` |",
        "| step of these weights | 1,200 of 3,000 |",
        "| code | vldeformer 0.1.0 at cccccccccccc with uncommitted changes |",
        "| versions | Python 3.11.7, torch 2.13.0 |",
        "| hardware | EPYC, 2 cores, no GPU |",
        "| time | 132 s |",
        f"manifest `{json.loads((trained / 'provenance.json').read_text())['inputs']['manifest']['sha256'][:12]}`.",
    ):
        assert part in first, part
    shutil.rmtree(trained)
    assert card_of(tmp_path / "second", tmp_path / "first") == first
    assert card_of(tmp_path / "first", tmp_path / "first") == first, "over itself"


def test_the_last_weights_are_not_called_the_best(trained, tmp_path):
    assert "| step of these weights | 3,000 of 3,000 |" in card_of(tmp_path / "saved", trained / "last")


def test_data_that_have_changed_are_not_named(trained, tiny, tmp_path):
    record = json.loads((trained / "provenance.json").read_text())
    record["inputs"]["manifest"]["sha256"] = "0" * 64
    (trained / "provenance.json").write_text(json.dumps(record))
    assert "| data set | not recorded |" in card_of(tmp_path / "saved", trained / "model")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("scenes", "drawn pictures with two to four"),
        ("flickr8k", "Trained on flickr8k, which has its own terms. Flickr8k: for non-commercial research"),
        ("coco_flickr30k_vinvl", "Trained on flickr30k, which has its own terms."),
        ("own", "The terms of the data set own are not known"),
    ],
)
def test_the_limits_are_those_of_the_data(trained, tmp_path, name, expected):
    record = json.loads((trained / "provenance.json").read_text())
    (trained / "provenance.json").write_text(json.dumps(record | {"data": {"name": name, "images": {"train": 1}}}))
    text = card_of(tmp_path / "saved", trained / "model")
    assert expected in text and text.count("terms") < 6


def test_the_record_of_another_stage_is_not_taken_for_that_of_a_training(model_folder, tmp_path):
    folder = shutil.copytree(model_folder("squares"), tmp_path / "model")
    (tmp_path / "provenance.json").write_text(json.dumps(RECORD | {"settings": {"dataset": {}}, "inputs": {}}))
    assert "Not recorded" in card_of(tmp_path / "saved", folder)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("{", "expected JSON"), ("[]", "expected the record of a training, got something else (the file: "),
     ('{"settings": {}, "inputs": {"a": 3}, "code": {"version": "1"}}', "got something else (inputs.a: ")],
)  # fmt: skip
def test_a_damaged_record_is_one_line_and_nothing_is_written(trained, tmp_path, text, expected):
    (trained / "provenance.json").write_text(text)
    encoder = vldeformer.load(trained / "model")
    with pytest.raises(InputError) as caught:
        encoder.save_pretrained(tmp_path / "saved")
    assert str(trained / "provenance.json") in str(caught.value) and expected in str(caught.value)
    assert "\n" not in str(caught.value) and not (tmp_path / "saved").exists()


@pytest.mark.parametrize(
    ("change", "experiment", "expected"),
    [
        (lambda value: [], None, "report.json: key 'the file'"),
        (lambda value: value | {"models": 3}, None, "report.json: key 'models'"),
        (lambda value: value, "lost", "nothing was measured of model 'lost'; there are decomposed, other"),
        (lambda value: value, "joint", "nothing was measured of model 'joint'"),
        (lambda value: value | {"speed": {}}, None, "key 'speed.pair_ms': Field required; run `vldeformer report` again"),
    ],
)  # fmt: skip
def test_damaged_results_are_one_line(results, change, experiment, expected):
    path = results / "report.json"
    path.write_text(json.dumps(change(json.loads(forget(path).read_text()))))
    with pytest.raises(InputError) as caught:
        read_results(results, experiment)
    assert expected in str(caught.value) and "\n" not in str(caught.value)


def test_the_committed_results_fill_a_card(committed):
    for name in ("scenes", "flickr8k"):
        found = read_results(committed / "results" / name)
        assert found.experiment == "decomposed" and found.drop is not None and found.times is not None
        assert {"subset", "test"} <= {recalls.protocol for recalls in found.recalls}
