"""The journal of a run that was killed."""

import json

from vldeformer.training.run_files import Journal


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_lines_are_there_while_the_run_goes_on(tmp_path):
    path = tmp_path / "run" / "journal.jsonl"
    journal = Journal(path, 0)
    assert path.read_text() == ""
    journal.write(step=1, loss=0.5)
    assert lines(path) == [{"step": 1, "loss": 0.5}]
    journal.write(step=2, loss=0.25)
    assert [line["step"] for line in lines(path)] == [1, 2]


def test_a_continued_run_drops_what_it_will_do_again_and_a_cut_last_line(tmp_path):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, 0)
    for step in (2, 4, 4, 6):
        journal.write(step=step)
    with path.open("a") as file:
        file.write('{"step": 4, "loss": 0.12')
    journal = Journal(path, 4)
    assert [line["step"] for line in lines(path)] == [2, 4, 4]
    journal.write(step=6)
    assert [line["step"] for line in lines(path)] == [2, 4, 4, 6]
    assert [item.name for item in tmp_path.iterdir()] == ["journal.jsonl"]


def test_another_run_starts_with_an_empty_journal(tmp_path):
    Journal(tmp_path / "journal.jsonl", 0).write(step=1)
    Journal(tmp_path / "journal.jsonl", 0)
    assert lines(tmp_path / "journal.jsonl") == []
