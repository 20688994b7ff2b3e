"""Random numbers by name: every draw of the project is a pure function of a seed and of what it is for.

No global state is read or advanced, so the order in which things run, the number of workers and a restart change nothing.
"""

import hashlib

import numpy as np


def named_seed(*names: str | int) -> int:
    """A 63-bit seed from a list of names, e.g. ``named_seed(settings.seed, "dropout", step)``."""
    digest = hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def named_generator(*names: str | int) -> np.random.Generator:
    """A NumPy generator (PCG64) of its own for one named purpose."""
    return np.random.Generator(np.random.PCG64(named_seed(*names)))
