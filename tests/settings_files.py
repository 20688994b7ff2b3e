"""The project's own settings files, and a way to change a copy of them."""

from pathlib import Path

CONFIG = Path(__file__).parents[1] / "config"


def edit(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} must be there once"
    path.write_text(text.replace(old, new))
