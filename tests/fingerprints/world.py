"""A tiny world made by the steps themselves, and what the cases share; each part is made when a case first asks for it."""

import contextlib
import functools
import itertools
import json

import pytest
from tiny_settings import sections

from vldeformer.training import loop

STEPS = 14
"""Two of warm-up and twelve more."""
KILLED_AT = 9
"""Between two checkpoints: the run continues from step 8."""
TRAINING = {
    "seed": 3, "steps": STEPS, "batch_images": 8, "learning_rate": 2e-3, "warmup_steps": 2, "weight_decay": 0.05,
    "checkpoint_steps": 4,
}  # fmt: skip
VALIDATED = {"validate_steps": 5, "validate_images": 8}


class World:
    """Files below ``folder``; nothing outside it is read or written."""

    def __init__(self, folder):
        self.folder = folder
        self._names = itertools.count()

    def new(self, name):
        """A path that does not exist yet."""
        return self.folder / f"{name}-{next(self._names)}"

    def settings(self, **changes):
        """A settings file with every section; ``changes`` by section, as in ``tiny_settings.sections``."""
        trained = {"train": TRAINING | VALIDATED, "pretrain": TRAINING}
        path = self.new("settings").with_suffix(".json")
        path.write_text(json.dumps(sections(**{**changes, **{name: trained[name] | changes.get(name, {}) for name in trained}})))
        return path

    @functools.cached_property
    def raw(self):
        from vldeformer.steps.fetch import fetch_scenes

        fetch_scenes(settings=self.settings(), out=self.folder / "raw" / "scenes.jsonl")
        return self.folder / "raw"

    @functools.cached_property
    def prepared(self):
        from vldeformer.steps.prepare import prepare

        prepare(settings=self.settings(), raw_dir=self.raw, out=self.folder / "prepare")
        return self.folder / "prepare"

    @property
    def manifest(self):
        return self.prepared / "manifest.json"

    @property
    def pixels(self):
        return self.prepared / "pixels"

    @functools.cached_property
    def features(self):
        from vldeformer.steps import features

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("joblib.cpu_count", lambda: 1)
            features.features(settings=self.settings(), raw_dir=self.raw, prepared=self.prepared, out=self.folder / "features")
        return self.folder / "features"

    @property
    def regions(self):
        return self.features / "store"

    @functools.cached_property
    def tokenizer(self):
        from vldeformer.steps.vocabulary import vocabulary

        out = self.folder / "tokenizer.json"
        vocabulary(settings=self.settings(), manifest=self.manifest, features=self.regions, out=out)
        return out

    @functools.cached_property
    def negatives(self):
        from vldeformer.steps.negatives import negatives

        out = self.folder / "negatives"
        negatives(settings=self.settings(), manifest=self.manifest, features=self.regions, out=out)
        return out

    @functools.cached_property
    def pretrained(self):
        return self.pretraining() / "model"

    @functools.cached_property
    def joint(self):
        return self.training(train={"kind": "joint", "start": "pretrained"}, start=self.pretrained)

    @functools.cached_property
    def dual(self):
        return self.training(train={"start": "pretrained"}, start=self.pretrained)

    @functools.cached_property
    def embedded(self):
        from vldeformer.steps.embed import embed

        out = self.folder / "embed"
        embed(settings=self.settings(), model=str(self.dual / "model"), manifest=self.manifest, features=self.regions, out=out)
        return out

    @functools.cached_property
    def scored(self):
        from vldeformer.steps.score import score

        out = self.folder / "score"
        score(settings=self.settings(), model=str(self.joint / "model"), manifest=self.manifest, features=self.regions, out=out)
        return out

    @functools.cached_property
    def items(self):
        from vldeformer.steps.compositional_items import compositional_items

        compositional_items(settings=self.settings(), raw_dir=self.raw, out=self.folder / "items")
        return self.folder / "items"

    def pretraining(self, features=None, **changes):
        """Folder of `pretrain`: killed once and continued."""
        from vldeformer.steps.pretrain import pretrain

        settings, out = self.settings(**changes), self.new("pretrain")
        inputs = {"manifest": self.manifest, "features": features or self.regions, "tokenizer": self.tokenizer}
        killed_and_continued(lambda: pretrain(settings=settings, **inputs, out=out))
        return out

    def training(self, features=None, start=None, negatives=None, teacher=None, **changes):
        """Folder of `train`: killed once and continued."""
        from vldeformer.steps.train import train

        settings, out = self.settings(**changes), self.new("train")
        inputs = {"manifest": self.manifest, "features": features or self.regions, "tokenizer": self.tokenizer}
        more = {"start": start, "negatives": negatives, "teacher": teacher}
        killed_and_continued(lambda: train(settings=settings, **inputs, **more, out=out))
        return out


def killed_and_continued(run):
    """``run`` a training that is killed once in its step ``KILLED_AT``, and again to its end."""
    real, killed = loop.learning_rate, []

    def learning_rate(step, *schedule):
        if step == KILLED_AT and not killed:
            killed.append(step)
            raise KeyboardInterrupt
        return real(step, *schedule)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "learning_rate", learning_rate)
        with contextlib.suppress(KeyboardInterrupt):
            run()
        assert killed, "the training was not killed"
        run()
