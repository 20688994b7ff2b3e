"""How a stage shows how far it is: every bar looks and behaves alike."""

import functools

from tqdm import tqdm

progress_bar = functools.partial(tqdm, mininterval=2, delay=2, disable=None)
"""The bar of a stage: on a terminal only, and only if the stage takes longer than a moment."""
