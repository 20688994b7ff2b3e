"""A run that is killed and continued ends with the same bits, and only its own state is continued."""

import json

import pytest
import torch
from tiny_settings import OPTIMIZER
from torch import nn

from vldeformer.errors import InputError
from vldeformer.training.checkpoint import RunState, load_state, save_state
from vldeformer.training.loop import STEPS_PER_JOURNAL_LINE, Task, fit, start_processes
from vldeformer.training.settings import OptimizerSettings


class KilledError(Exception):
    """Stands for kill -9."""


def settings(**changes):
    return OptimizerSettings(**OPTIMIZER | {"steps": 10, "checkpoint_steps": 5} | changes)


def make_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Tanh(), nn.Linear(8, 1))


def task(kill_at=None, values=None, validate_steps=2):
    """A regression whose batch is a function of the step; ``values``: what validation finds, step by step."""
    weights, found = [], []

    def loss(model, step):
        if step == kill_at:
            raise KilledError
        inputs = torch.randn(16, 4, generator=torch.Generator().manual_seed(step))
        error = (model(inputs)[:, 0] - inputs.sum(1)).pow(2).mean()
        return error, {"twice": 2 * error.item()}

    def validate(model):
        assert not model.training and not torch.is_grad_enabled()
        weights.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
        found.append(values[len(found)] if values else 0.0)
        return found[-1]

    made = Task(loss, None if values is None else validate, validate_steps)
    return made, weights


def run(folder, runtime, model=None, key="key", made=None, **changes):
    model = make_model() if model is None else model
    step = fit(model, made or task()[0], settings(**changes), start_processes(runtime), folder, key)
    return model, step


def journal(folder):
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    for line in lines:
        line.pop("images_per_second", None)
    return lines


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.mark.parametrize("kill_at", [5, 7, 9])
def test_killed_and_continued_equals_never_killed(tmp_path, runtime, kill_at):
    whole, _ = run(tmp_path / "whole", runtime)
    with pytest.raises(KilledError):
        run(tmp_path / "parts", runtime, made=task(kill_at)[0])
    assert load_state(tmp_path / "parts" / "state.pt", "key").step == 5
    torch.manual_seed(999)
    torch.randn(5)
    parts, step = run(
        tmp_path / "parts", runtime, model=nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Tanh(), nn.Linear(8, 1))
    )
    assert same(whole, parts) and step == 10
    assert journal(tmp_path / "whole") == journal(tmp_path / "parts") != []


def test_the_best_weights_survive_a_kill(tmp_path, runtime):
    values = [10.0, 30.0, 20.0, 25.0, 5.0]
    made, weights = task(values=values)
    whole, best = run(tmp_path / "whole", runtime, made=made)
    assert best == 4
    assert all(torch.equal(a, b) for a, b in zip(whole.state_dict().values(), weights[1].values(), strict=True))
    with pytest.raises(KilledError):
        run(tmp_path / "parts", runtime, made=task(6, values)[0], checkpoint_steps=6)
    with pytest.raises(KilledError):
        run(tmp_path / "parts", runtime, made=task(8, values)[0], checkpoint_steps=6)
    parts, step = run(tmp_path / "parts", runtime, made=task(values=values[3:])[0], checkpoint_steps=6)
    assert step == 4 and same(whole, parts)
    assert journal(tmp_path / "whole") == journal(tmp_path / "parts")
    assert [line["val_mean_recall"] for line in journal(tmp_path / "parts") if "val_mean_recall" in line] == values


def test_of_equal_values_the_first_is_kept_and_the_last_step_is_always_measured(tmp_path, runtime):
    made, weights = task(values=[1.0, 1.0, 1.0, 1.0], validate_steps=3)
    _, best = run(tmp_path, runtime, made=made)
    assert best == 3 and len(weights) == 4, "after 3, 6, 9 and 10 steps"


def test_a_finished_run_is_not_done_again(tmp_path, runtime):
    first, _ = run(tmp_path, runtime)
    again, step = run(tmp_path, runtime, made=task(kill_at=0)[0])
    assert same(first, again) and step == 10


def test_state_of_another_run_is_not_continued(tmp_path, runtime):
    run(tmp_path / "one", runtime)
    seen = []

    def loss(model, step):
        seen.append(step)
        return task()[0].loss(model, step)

    run(tmp_path / "one", runtime, key="other", made=Task(loss), steps=3)
    assert seen == [0, 1, 2]
    assert [line["step"] for line in journal(tmp_path / "one")] == [3]


def test_a_journal_line_holds_what_the_loss_said(tmp_path, runtime):
    run(tmp_path, runtime, steps=STEPS_PER_JOURNAL_LINE + 3)
    lines = journal(tmp_path)
    assert [line["step"] for line in lines] == [STEPS_PER_JOURNAL_LINE, STEPS_PER_JOURNAL_LINE + 3]
    assert all(line.keys() == {"step", "loss", "twice", "lr", "grad_norm"} for line in lines)
    assert lines[0]["twice"] == pytest.approx(2 * lines[0]["loss"], abs=1e-6)


def test_no_steps_keep_the_start(tmp_path, runtime):
    start = make_model()
    kept, step = run(tmp_path, runtime, steps=0, warmup_steps=0)
    assert same(start, kept) and step == 0 and journal(tmp_path) == []


def test_training_lowers_the_loss(tmp_path, runtime):
    run(tmp_path, runtime, steps=150, learning_rate=0.05, checkpoint_steps=150)
    losses = [line["loss"] for line in journal(tmp_path)]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_names_the_step(tmp_path, runtime, value):
    def loss(model, step):
        return task()[0].loss(model, step)[0] * (value if step == 6 else 1), {}

    with pytest.raises(InputError, match=rf"the loss is {value} at step 7"):
        run(tmp_path, runtime, made=Task(loss))
    assert load_state(tmp_path / "state.pt", "key").step == 5


@pytest.mark.parametrize("damage", [b"", b"no state", "cut"])
def test_a_damaged_state_is_refused(tmp_path, runtime, damage):
    run(tmp_path, runtime)
    path = tmp_path / "state.pt"
    path.write_bytes(path.read_bytes()[:-500] if damage == "cut" else damage)
    with pytest.raises(InputError, match=r"state\.pt: cannot read the saved run state"):
        run(tmp_path, runtime)


def test_a_state_that_cannot_be_written_leaves_the_older_one(tmp_path, monkeypatch):
    state = RunState("key", 3, {"w": torch.ones(2)}, {}, 0.5, 2, None)
    save_state(tmp_path / "state.pt", state)

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        save_state(tmp_path / "state.pt", RunState("key", 4, {}, {}, 0.5, 2, None))
    found = load_state(tmp_path / "state.pt", "key")
    assert found.step == 3 and torch.equal(found.model["w"], torch.ones(2)) and found.best_value == 0.5
    assert [item.name for item in tmp_path.iterdir()] == ["state.pt"]
    assert load_state(tmp_path / "state.pt", "other") is None and load_state(tmp_path / "none.pt", "key") is None


def test_a_wrong_number_of_processes_is_refused(runtime):
    with pytest.raises(InputError, match=r"runtime\.processes is 2 but 1 run; start with `accelerate launch --num_processes 2"):
        start_processes(runtime.model_copy(update={"processes": 2}))
