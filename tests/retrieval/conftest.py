"""Captions of every length and script, for the models of these tests."""

import dataclasses

import pytest


@pytest.fixture(scope="module")
def test_set(manifest):
    chosen = manifest.split("test")
    texts = ["", "a star " * 250, "🦊", "قطة على سجادة"]
    captions = tuple(
        dataclasses.replace(caption, text=texts[row] or " . ") if row < len(texts) else caption
        for row, caption in enumerate(chosen.captions)
    )
    return dataclasses.replace(chosen, captions=captions)
