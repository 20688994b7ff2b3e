"""Fixtures of the tests of models."""

import pytest
from tiny_bert import save_bert


@pytest.fixture(scope="session")
def bert(tmp_path_factory):
    """Folder of a tiny published text transformer, and the model in it. Nothing may write into it."""
    folder = tmp_path_factory.mktemp("bert")
    return folder, save_bert(folder)
