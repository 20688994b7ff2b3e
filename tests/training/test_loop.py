"""A run that is killed and continued ends with the same bits, and only its own state is continued."""

import json

import pytest
import torch
from tiny_settings import OPTIMIZER
from torch import nn

from vldeformer.errors import InputError
from vldeformer.training.loop import Fitted, Task, fit, start_processes
from vldeformer.training.optim import learning_rate
from vldeformer.training.optimizer_settings import OptimizerSettings
from vldeformer.training.run_files import RunState, load_state, save_state


class KilledError(Exception):
    """Stands for kill -9."""


def settings(**changes):
    return OptimizerSettings(**OPTIMIZER | {"steps": 10, "checkpoint_steps": 5} | changes)


def make_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Tanh(), nn.Linear(8, 1))


def ids(step):
    return {"image_ids": [f"i{step}-{row}" for row in range(16)], "caption_ids": [f"c{step}-{row}" for row in range(16)]}


def task(kill_at=None, values=None, validate_steps=2, patience=None, factor=None, state=None):
    """A regression whose batch is a function of the step; ``values``: what validation finds, step by step."""
    weights, found = [], []

    def backward(model, step):
        if step == kill_at:
            raise KilledError
        inputs = torch.randn(16, 4, generator=torch.Generator().manual_seed(step))
        error = (model(inputs)[:, 0] - inputs.sum(1)).pow(2).mean()
        if factor is not None:
            error = factor(step, error)
        error.backward()
        return error.detach(), {"twice": 2 * error.item()}

    def validate(model):
        assert not model.training and not torch.is_grad_enabled()
        weights.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
        found.append(values[len(found)] if values else 0.0)
        return found[-1]

    made = Task(backward, ids, None if values is None else validate, validate_steps, patience, {} if state is None else state)
    return made, weights


def run(folder, runtime, model=None, key="key", made=None, **changes):
    model = make_model() if model is None else model
    fitted = fit(model, made or task()[0], settings(**changes), start_processes(runtime), folder, key)
    return model, fitted.kept_step


def journal(folder):
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    for line in lines:
        for of_the_machine in ("images_per_second", "memory_mib"):
            line.pop(of_the_machine, None)
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

    def backward(model, step):
        seen.append(step)
        return task()[0].backward(model, step)

    run(tmp_path / "one", runtime, key="other", made=Task(backward), steps=3)
    assert seen == [0, 1, 2]
    assert [line["step"] for line in journal(tmp_path / "one")] == [1, 2, 3]


def test_every_step_has_a_journal_line_with_what_the_task_said(tmp_path, runtime):
    made, _ = task()
    seen = []

    def backward(model, step):
        lines = (tmp_path / "journal.jsonl").read_text().splitlines()
        seen.append(len(lines))
        return made.backward(model, step)

    run(tmp_path, runtime, made=Task(backward), warmup_steps=4)
    assert seen == list(range(10)), "each line is there before the next step"
    lines = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 11))
    for line in lines:
        assert line.keys() == {"step", "loss", "twice", "lr", "grad_norm", "images_per_second", "memory_mib"}
        assert line["twice"] == pytest.approx(2 * line["loss"], abs=1e-6)
        assert line["lr"] == pytest.approx(learning_rate(line["step"] - 1, 1e-3, 4, 10), abs=1e-8)
        assert line["grad_norm"] > 0 and line["images_per_second"] > 0 and 50 < line["memory_mib"] < 1e6


def test_it_stops_after_measurements_without_a_better_one_and_keeps_both_ends(tmp_path, runtime):
    values = [10.0, 30.0, 30.0, 20.0, 99.0]
    made, weights = task(values=values, patience=2)
    model = make_model()
    fitted = fit(model, made, settings(), start_processes(runtime), tmp_path, "key")
    assert (fitted.kept_step, fitted.last_step) == (4, 8)
    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in model.state_dict().items())
    assert all(torch.equal(tensor, weights[3][name]) for name, tensor in fitted.last_model.items())
    assert [line["step"] for line in journal(tmp_path)][-1] == 8
    again = fit(make_model(), task(kill_at=8, patience=2)[0], settings(), start_processes(runtime), tmp_path, "key")
    assert (again.kept_step, again.last_step) == (4, 8), "a run that stopped is not gone on with"


@pytest.mark.parametrize("kill_at", [3, 5, 7])
def test_a_killed_run_stops_where_it_would_have(tmp_path, runtime, kill_at):
    values = {2: 10.0, 4: 30.0, 6: 20.0, 8: 25.0, 10: 99.0}

    def measured(folder, kill_at=None):
        """Values by step, whichever run comes to it."""
        at = [0]
        made, _ = task(kill_at)

        def backward(model, step):
            at[0] = step + 1
            return made.backward(model, step)

        model = make_model()
        given = Task(backward, ids, lambda _: values[at[0]], 2, 2)
        return model, fit(model, given, settings(checkpoint_steps=3), start_processes(runtime), folder, "key")

    whole, expected = measured(tmp_path / "whole")
    with pytest.raises(KilledError):
        measured(tmp_path / "parts", kill_at)
    parts, found = measured(tmp_path / "parts")
    assert (found.kept_step, found.last_step) == (expected.kept_step, expected.last_step) == (4, 8)
    assert same(whole, parts) and journal(tmp_path / "whole") == journal(tmp_path / "parts")
    assert all(torch.equal(tensor, found.last_model[name]) for name, tensor in expected.last_model.items())


def test_the_last_weights_are_told_only_if_they_are_others(tmp_path, runtime):
    best_last = fit(make_model(), task(values=[1.0, 2.0, 3.0, 4.0, 5.0])[0], settings(), start_processes(runtime), tmp_path, "a")
    unmeasured = fit(make_model(), task()[0], settings(), start_processes(runtime), tmp_path, "b")
    assert best_last == unmeasured == Fitted(10, 10, None)


def test_what_a_task_remembers_is_continued(tmp_path, runtime):
    def counting(kill_at=None):
        state = {"seen": torch.zeros(2, dtype=torch.int64), "names": []}
        made, _ = task(kill_at, state=state)

        def backward(model, step):
            state["seen"] = state["seen"] + torch.tensor([1, step])
            state["names"] = [*state["names"], f"s{step}"]
            return made.backward(model, step)

        return Task(backward, state=state)

    made = counting(kill_at=7)
    with pytest.raises(KilledError):
        run(tmp_path, runtime, made=made)
    again = counting()
    run(tmp_path, runtime, made=again)
    assert again.state["seen"].tolist() == [10, 45] and again.state["names"] == [f"s{step}" for step in range(10)]


def test_no_steps_keep_the_start(tmp_path, runtime):
    start = make_model()
    kept, step = run(tmp_path, runtime, steps=0, warmup_steps=0)
    assert same(start, kept) and step == 0 and journal(tmp_path) == []


def test_training_lowers_the_loss(tmp_path, runtime):
    run(tmp_path, runtime, steps=150, learning_rate=0.05, checkpoint_steps=150)
    losses = [line["loss"] for line in journal(tmp_path)]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_names_the_step_and_its_batch(tmp_path, runtime, value):
    made, _ = task(factor=lambda step, error: error * (value if step == 6 else 1))
    with pytest.raises(
        InputError, match=rf"the loss is {value} at step 7 with image_ids i6-0, i6-1, i6-2, i6-3; caption_ids c6-0"
    ) as told:
        run(tmp_path, runtime, made=made)
    assert "\n" not in str(told.value) and str(tmp_path / "bad_batch.json") in str(told.value)
    batch = json.loads((tmp_path / "bad_batch.json").read_text())
    assert batch["step"] == 7 and {name: batch[name] for name in ids(6)} == ids(6)
    state = load_state(tmp_path / "state.pt", "key")
    assert state.step == 5 and all(tensor.isfinite().all() for tensor in state.model.values())
    whole, _ = run(tmp_path / "whole", runtime)
    mended, _ = run(tmp_path, runtime)
    assert same(whole, mended), "the last good state is gone on with"


def test_a_gradient_that_is_no_number_never_reaches_the_weights(tmp_path, runtime):
    # The square root has a finite value at 0 and no finite slope.
    made, _ = task(factor=lambda step, error: error + (0 * error).sqrt() if step == 6 else error)
    with pytest.raises(InputError, match=r"the gradient's norm is nan at step 7 with image_ids i6-0"):
        run(tmp_path, runtime, made=made, checkpoint_steps=1)
    state = load_state(tmp_path / "state.pt", "key")
    assert state.step == 6 and all(tensor.isfinite().all() for tensor in state.model.values())


@pytest.mark.parametrize("damage", [b"", b"no state", "cut"])
def test_a_damaged_state_is_refused(tmp_path, runtime, damage):
    run(tmp_path, runtime)
    path = tmp_path / "state.pt"
    path.write_bytes(path.read_bytes()[:-500] if damage == "cut" else damage)
    with pytest.raises(InputError, match=r"state\.pt: cannot read the saved run state"):
        run(tmp_path, runtime)


def test_a_state_that_cannot_be_written_leaves_the_older_one(tmp_path, monkeypatch):
    state = RunState("key", 3, {"w": torch.ones(2)}, {}, 0.5, 2, None, 1, {"names": ["a"]})
    save_state(tmp_path / "state.pt", state)

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        save_state(tmp_path / "state.pt", RunState("key", 4, {}, {}, 0.5, 2, None, 0, {}))
    found = load_state(tmp_path / "state.pt", "key")
    assert found.step == 3 and torch.equal(found.model["w"], torch.ones(2)) and found.best_value == 0.5
    assert found.worse == 1 and found.task == {"names": ["a"]}
    assert [item.name for item in tmp_path.iterdir()] == ["state.pt"]
    assert load_state(tmp_path / "state.pt", "other") is None and load_state(tmp_path / "none.pt", "key") is None


def test_a_wrong_number_of_processes_is_refused(runtime):
    with pytest.raises(InputError, match=r"runtime\.processes is 2 but 1 run; start with `accelerate launch --num_processes 2"):
        start_processes(runtime.model_copy(update={"processes": 2}))
