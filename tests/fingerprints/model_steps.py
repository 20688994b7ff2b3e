"""Cases of the steps that train and import models."""

import subprocess
import sys

from fingerprints.outputs import model
from fingerprints.values import array

BOTH = {"hard_negatives": {"kind": "both", "scope": "batch"}}


def pretrained(world, pixels=False, **changes):
    return model(world.pretraining(features=world.pixels if pixels else None, **changes))


def trained(world, needs=(), pixels=False, **changes):
    """``needs``: which of start, negatives and teacher the training reads."""
    given = {name: NEEDED[name](world) for name in needs}
    return model(world.training(features=world.pixels if pixels else None, **given, **changes))


NEEDED = {
    "start": lambda world: world.pretrained,
    "negatives": lambda world: world.negatives,
    "teacher": lambda world: world.joint / "model",
}


def in_bfloat16(world):
    """accelerate allows one precision a process, so its state is made anew."""
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)
    try:
        return trained(world, runtime={"precision": "bfloat16"})
    finally:
        AcceleratorState._reset_state(reset_partial_state=True)


def two_processes(world):
    """The same training by two processes on this machine."""
    settings, out = world.settings(train=BOTH, runtime={"processes": 2}), world.new("train")
    options = {
        "settings": settings, "manifest": world.manifest, "features": world.regions, "tokenizer": world.tokenizer,
        "negatives": world.negatives, "out": out,
    }  # fmt: skip
    words = [word for name, path in options.items() for word in (f"--{name}", str(path))]
    # accelerate's own launcher starts several processes on GPUs only; it joins those that torch starts.
    launch = ["torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "vldeformer.cli", "train"]
    command = [sys.executable, "-m", *launch, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return model(out)


def imported(world, write, **options):
    """A published model of random weights, in the layout of the hub or of a VinVL download."""
    import vldeformer
    from vldeformer.steps.import_weights import import_weights

    published, out = world.new("published"), world.new("imported")
    write(published)
    import_weights(str(published), out=out, **options)
    return {"texts": array(vldeformer.load(out).encode_text(["a red dog on grass", "the man"]))}


def oscar(folder):
    from vinvl_files import write_checkpoint

    write_checkpoint(folder)


def vilt(folder):
    from hub_models import save_vilt

    save_vilt(folder)


def visualbert(folder):
    from hub_models import save_visualbert

    save_visualbert(folder)
