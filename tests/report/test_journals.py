"""Curves of a journal, and journals that are refused. Its files for other tools are tested with the step."""

import json

import pytest

from vldeformer.errors import InputError
from vldeformer.report.journals import DRAWN_STEPS, read_journal, training


def test_training_curves_are_those_of_the_journal_and_a_long_one_is_thinned(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_text('{"step": 1, "loss": 3.5}\n{"step": 2, "loss": 2.5}\n{"step": 2, "val_mean_recall": 40.0}\n')
    curves = training("joint", path)
    assert (curves.steps, curves.losses) == ((1, 2), (3.5, 2.5))
    assert (curves.val_steps, curves.val_recalls) == ((2,), (40.0,))
    losses = [5 / step for step in range(1, 20_001)]
    path.write_text("".join(json.dumps({"step": step, "loss": loss}) + "\n" for step, loss in enumerate(losses, start=1)))
    long = training("joint", path)
    size = -(-len(losses) // DRAWN_STEPS)
    assert len(long.losses) <= DRAWN_STEPS and long.val_steps == ()
    assert long.losses[1] == pytest.approx(sum(losses[size : 2 * size]) / size)
    assert long.steps[1] == pytest.approx(sum(range(size + 1, 2 * size + 1)) / size)


def test_bad_journals_are_named(tmp_path):
    path = tmp_path / "journal.jsonl"
    with pytest.raises(InputError, match=r"journal\.jsonl: expected a training journal, found no file"):
        read_journal(path)
    path.write_text('{"step": 1, "loss": 2.0}\n{"step": 2, "lo')
    with pytest.raises(InputError, match=r"journal\.jsonl, line 2: expected a JSON object"):
        read_journal(path)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], 4),
        (lambda lines: [*lines[:3], *lines[4:]], 4),
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[1], lines[0], *lines[2:]], 1),
        (lambda lines: [*lines, lines[-1]], 7),
    ],
)
def test_a_journal_with_doubled_or_missing_steps_is_refused(tmp_path, change, line):
    whole = [{"step": step, "loss": 1.0} for step in range(1, 6)] + [{"step": 5, "val_mean_recall": 50.0}]
    path = tmp_path / "journal.jsonl"
    for lines in (whole, change(whole)):
        path.write_text("".join(json.dumps(one) + "\n" for one in lines))
        if lines is whole:
            assert training("one", path).steps == (1, 2, 3, 4, 5)
    with pytest.raises(InputError, match=rf"journal\.jsonl, line {line}: step"):
        training("one", path)
