"""The configfile of a run, and which experiments each of its targets has."""

from collections.abc import Iterator

from pydantic import Field

from vldeformer.planning.experiment_files import ExperimentFiles
from vldeformer.section import Section


class Targets(Section):
    """Experiments of the target ``all``, and what the target ``ablations`` adds; NAME_seed1 is NAME with train.seed 1."""

    all: list[str] = Field(min_length=1, description="experiments of the target `all`: names of files in config/experiments")
    ablations: list[str] = Field(
        description="what the target `ablations` adds: files of config/ablations, with all experiments that they compare, or "
        "single experiments; []: none"
    )
    seeds: dict[str, int] = Field(
        default={}, description="experiment → runs with other seeds that it adds, e.g. `joint: 2` for joint_seed1 and joint_seed2"
    )

    def added(self, files: ExperimentFiles) -> Iterator[str]:
        """What the target ``ablations`` adds; a name may come twice."""
        for name in self.ablations:
            if name in files.ablations:
                yield from files.ablations[name].experiments(name)
            else:
                yield name
        for name, seeds in self.seeds.items():
            yield from _seeds(name, seeds)

    def comparisons(self, files: ExperimentFiles) -> dict[str, list[str]]:
        """Name → experiments of the targets `compare_NAME`: each ablation and, as ``seeds``, the runs with other seeds."""
        chosen = {name: files.ablations[name] for name in self.ablations if name in files.ablations}
        found = {name: list(dict.fromkeys(file.experiments(name))) for name, file in chosen.items()}
        seeded = [each for name, seeds in self.seeds.items() for each in (name, *_seeds(name, seeds))]
        return found | ({"seeds": seeded} if seeded else {})


class Run(Section):
    """The configfile of a run, e.g. ``config/default.yaml``."""

    dataset: str = Field(description="name of a file in config/datasets")
    experiments: Targets
    embed_shards: int = Field(default=1, ge=1, le=1000, description="jobs that embed side by side; the vectors are the same")
    fresh: bool = Field(
        default=False,
        description="train also what committed records stand for: `snakemake --cores 8 ablations --config fresh=true`",
    )


def _seeds(experiment: str, seeds: int) -> list[str]:
    return [f"{experiment}_seed{seed}" for seed in range(1, seeds + 1)]
