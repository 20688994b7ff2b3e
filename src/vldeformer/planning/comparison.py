"""What the report of a run compares: titles of the experiments, and the ablations of which at least two rows were run."""

from collections.abc import Collection, Sequence

from vldeformer.errors import InputError
from vldeformer.planning.ablation_files import AblationFile, Row
from vldeformer.planning.experiment_files import ExperimentFiles
from vldeformer.report.settings import READ_ELSEWHERE, Ablation, AblationRow, ReportChoices, ReportSettings, split_seed

CURVE_PLACES = 3
"""An axis needs so many different places on it; with fewer there is no figure."""


def report_settings(
    files: ExperimentFiles, choices: ReportChoices, experiments: Sequence[str], elsewhere: Collection[str]
) -> ReportSettings:
    """The section ``report`` of the steps of the report.

    Args:
        files: where titles and ablations are.
        choices: section ``report`` of the base experiment.
        experiments: names of the models that are compared, in the order of the run.
        elsewhere: those of them with a text transformer that was trained elsewhere; their titles are marked.

    Raises:
        InputError: an experiment has no title.

    """
    titles = {name: _title(files, choices, name) + (READ_ELSEWHERE if name in elsewhere else "") for name in experiments}
    position = {
        name: number for number, name in enumerate(dict.fromkeys([*choices.order, *(split_seed(n)[0] for n in experiments)]))
    }
    chosen = sorted(experiments, key=lambda name: (position[split_seed(name)[0]], split_seed(name)[1]))
    order = dict.fromkeys([*choices.ablations, *files.ablations])
    present = {
        name: _present(name, files.ablations[name], choices, experiments, elsewhere) for name in order if name in files.ablations
    }
    return ReportSettings(
        titles={name: titles[name] for name in chosen},
        baseline=choices.baseline,
        main=choices.main,
        decomposed=[name for name in choices.decomposed if name in experiments],
        claimed=[name for name in choices.claimed if name in experiments],
        trivial=[name for name in choices.trivial if name in experiments],
        ablations={name: ablation for name, ablation in present.items() if ablation is not None},
        published_protocols=choices.published_protocols,
        counterparts={name: model for name, model in choices.counterparts.items() if name in experiments},
    )


def _title(files: ExperimentFiles, choices: ReportChoices, name: str) -> str:
    plain, seed = split_seed(name)
    title = choices.titles.get(plain) or files.title(plain)
    if title is None:
        path = files.config_dir / "experiments" / f"{plain}.yaml"
        raise InputError(f"experiment {name!r} has no title; add `title: …` to {path}")
    return f"{title}, seed {seed}" if seed else title


def _present(
    name: str, file: AblationFile, choices: ReportChoices, experiments: Sequence[str], elsewhere: Collection[str]
) -> Ablation | None:
    """An ablation without the rows that are not run or whose reference is not; None: fewer than two are left."""
    run = set(experiments)
    rows = [row for row in file.rows if {file.name_of(row, name), file.reference_of(row, name) or file.name_of(row, name)} <= run]
    if len(rows) < 2:
        return None
    shown = [_row(name, file, row, choices, elsewhere) for row in rows]
    places = {row.at for row in shown if row.at is not None}
    return Ablation(
        title=file.title,
        protocol=file.protocol,
        reference=file.reference,
        axis=file.axis if len(places) >= CURVE_PLACES else None,
        logarithmic=file.logarithmic,
        rows=shown,
    )


def _row(ablation: str, file: AblationFile, row: Row, choices: ReportChoices, elsewhere: Collection[str]) -> AblationRow:
    # The title of a row with `set` and no other title is that of its experiment.
    own_title = row.title if row.experiment is not None or row.full_title is not None else None
    place = choices.whole.get(ablation) if isinstance(row.at, str) else row.at
    experiment = file.name_of(row, ablation)
    if own_title is not None and experiment in elsewhere:
        own_title += READ_ELSEWHERE
    return AblationRow(experiment=experiment, title=own_title, reference=row.reference, at=place, line=row.line)
