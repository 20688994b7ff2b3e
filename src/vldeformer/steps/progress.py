"""The progress bar of every step."""

import functools

from tqdm import tqdm

progress_bar = functools.partial(tqdm, mininterval=2, delay=2, disable=None)
"""Shown on a terminal only, and only if the step takes longer than two seconds."""
