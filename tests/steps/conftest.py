"""The tiny world's models, each trained for a few steps by the command line, and what they say of the test split."""

from types import SimpleNamespace

import pytest
from tiny_settings import COMPOSED

from vldeformer.cli import main


@pytest.fixture(scope="session")
def command(tiny):
    """``command("train", settings, out, "--start", folder)``: run a command on the tiny world; its exit code."""

    def run(name, settings, out, *more, features=None):
        arguments = [name, "--settings", settings, "--manifest", tiny.manifest, "--out", out]
        if name not in ("vocabulary",):
            arguments += ["--features", features or tiny.regions]
        if name in ("train", "pretrain"):
            arguments += ["--tokenizer", tiny.tokenizer]
        return main([*map(str, arguments), *map(str, more)])

    return run


@pytest.fixture(scope="session")
def trained(tmp_path_factory, command, write_settings):
    root, plain = tmp_path_factory.mktemp("trained"), write_settings()
    joint = write_settings(train={"kind": "joint", "start": "pretrained", "steps": 2})
    dual = write_settings(train={"start": "pretrained", "hard_negatives": COMPOSED})
    made = SimpleNamespace(
        pretrain=root / "pretrain", negatives=root / "negatives", joint=root / "joint", dual=root / "dual", embed=root / "embed",
        score=root / "score",
    )  # fmt: skip
    start = ("--start", made.pretrain / "model")
    assert command("pretrain", plain, made.pretrain) == 0
    assert command("negatives", plain, made.negatives) == 0
    assert command("train", joint, made.joint, *start) == 0
    assert command("train", dual, made.dual, *start, "--negatives", made.negatives) == 0
    assert command("embed", plain, made.embed, "--model", made.dual / "model") == 0
    assert command("score", plain, made.score, "--model", made.joint / "model") == 0
    return made
