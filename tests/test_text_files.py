"""Lines of people's texts: every reader ends a line where an editor does, and nowhere else."""

import io
import os
import subprocess
import sys

import pandas as pd
import pytest

from vldeformer.datasets.image_keys import read_image_keys
from vldeformer.inputs.tokens import SPECIAL, WordPieces
from vldeformer.planning.layers import read_layer
from vldeformer.report.journals import read_journal
from vldeformer.report.table import as_csv
from vldeformer.steps.search import _texts_of
from vldeformer.text_files import lines_of, read_text

INNER = "a\x0cb\x1c\x1d\x1e\x85\u2028\u2029c"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_lines_end_at_line_ends_alone(tmp_path, end, mark):
    path = tmp_path / "queries.txt"
    path.write_bytes(f"{mark}{INNER}{end}second{end}{end}".encode())
    assert lines_of(read_text(path)) == [INNER, "second"]
    assert _texts_of(path) == [INNER, "second"] and read_image_keys(path) == [INNER, "second"]
    path.write_bytes(f'{mark}{{"step": 1, "note": "a\u2028b"}}{end}{{"step": 2}}{end}'.encode())
    assert [line["step"] for line in read_journal(path)] == [1, 2]
    path.write_bytes(f"{mark}{end.join((*SPECIAL, 'red'))}{end}".encode())
    assert WordPieces.read_vocabulary(path).tokenizer.token_to_id("red") == 5
    path = tmp_path / "run.yaml"
    path.write_bytes(f"{mark}dataset: scenes{end}".encode())
    assert read_layer(path)[1] == {"dataset": "scenes"}


def test_no_text_of_a_table_is_read_as_missing():
    frame = pd.DataFrame({"model": ["None", "NA", "nan", "null", "NULL", "n/a", "#N/A N/A", "joint"], "recall": [1.5, None] * 4})
    again = pd.read_csv(io.StringIO(as_csv(frame)))
    assert again["model"].notna().all() and again["recall"].isna().sum() == 4


def test_a_terminal_that_lacks_a_character_gets_another():
    code = "import vldeformer.steps.search as s, sys\ndef search(index, text, /): print('caf\u00e9 \u2028')\ns.search = search\n"
    code += "import vldeformer.cli as c; sys.exit(c.main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "search", "I", "q"], capture_output=True, env=os.environ | {"PYTHONIOENCODING": "ascii"}
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"caf? ?\n", b"")


def test_a_warning_of_a_library_is_one_line_without_its_place():
    code = "import vldeformer.steps.search as s, sys, warnings\n"
    code += (
        "def search(index, text, /): warnings.warn('a\\nb')\ns.search = search\nimport vldeformer.cli as c; sys.exit(c.main())"
    )
    done = subprocess.run([sys.executable, "-c", code, "search", "I", "q"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "vldeformer: a b\n")
