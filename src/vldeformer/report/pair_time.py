"""pair_time.json as the report reads it: what a pair costs at each depth of decomposition, beside the recalls."""

from collections.abc import Mapping
from pathlib import Path

from vldeformer.report.ablations import Beside, Quantity
from vldeformer.report.speed import MeasuredFile, Speed, read_measured


class PairTime(MeasuredFile):
    """Times in ms; ``seconds`` of the whole test set, extrapolated."""

    joint_layers: int
    image_ms: float
    caption_ms: float
    pair_ms: float
    seconds: float


def cost_of(pair_times: Mapping[str, Path], main: str, speed: Speed, speed_path: Path) -> Quantity:
    """Seconds for the whole test set of each experiment with a file; those of the decomposed model ``main`` are in speed.json."""
    files = {
        name: Beside(read_measured(path, PairTime, "pair-time").seconds, (path.as_posix(),), "seconds")
        for name, path in pair_times.items()
    }
    dual = Beside(speed.dual_seconds, (speed_path.as_posix(),), "dual_seconds")
    return Quantity("seconds", "Whole test set (s)", 1, {main: dual, **files}, timed=True)
