"""pair_time.json as the report reads it: what a pair costs at each depth of decomposition, beside the recalls."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from vldeformer.artifact import read_json
from vldeformer.errors import InputError
from vldeformer.report.ablations import Beside, Quantity
from vldeformer.report.speed import Speed


class PairTime(BaseModel):
    """Times in ms; ``seconds`` of the whole test set, extrapolated. Keys beyond these are welcome in the file."""

    model_config = ConfigDict(frozen=True)

    joint_layers: int
    image_ms: float
    caption_ms: float
    pair_ms: float
    seconds: float


def read_pair_time(path: Path) -> PairTime:
    """Read pair_time.json. Raises InputError naming the file and the first key that is missing or wrong."""
    try:
        return PairTime.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise InputError(f"{path}: key {key!r}: {first['msg']}; run `vldeformer pair-time` again") from None


def cost_of(pair_times: Mapping[str, Path], main: str, speed: Speed, speed_path: Path) -> Quantity:
    """Seconds for the whole test set of each experiment with a file; those of the decomposed model ``main`` are in speed.json."""
    files = {name: Beside(read_pair_time(path).seconds, (path.as_posix(),), "seconds") for name, path in pair_times.items()}
    dual = Beside(speed.dual_seconds, (speed_path.as_posix(),), "dual_seconds")
    return Quantity("seconds", "Whole test set (s)", 1, {main: dual, **files}, timed=True)
