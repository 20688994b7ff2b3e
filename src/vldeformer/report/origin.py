"""Where the rows of an ablation table were made: the record, commit and processor of each."""

from vldeformer.evaluation.run_report import AblationResult, Choice, MadeOn, RunReport
from vldeformer.report.table import Column


def origin_of(report: RunReport, choice: Choice) -> dict[str, str]:
    """Column → text: the row's first record, and commits and processors of all records that it was computed from."""
    made = _made(report, choice)
    if not made:
        return {}
    return {
        "record": choice.files[0],
        "commit": "; ".join(dict.fromkeys(one.code for one in made)),
        "processor": "; ".join(dict.fromkeys(one.processor or "not recorded" for one in made)),
    }


def origin_columns(report: RunReport, ablation: AblationResult) -> list[Column]:
    """People see them only if rows differ; the caption names what all have in common."""
    columns = [Column("record")]
    for name in ("commit", "processor"):
        texts = {origin_of(report, one).get(name) for one in ablation.choices}
        columns.append(Column(name, name.capitalize() if len(texts) > 1 else ""))
    return columns


def origin_in_words(report: RunReport, ablation: AblationResult) -> str:
    """The end of the caption: commit and processor, where all rows have the same."""
    hidden = [column.name for column in origin_columns(report, ablation) if column.name != "record" and not column.heading]
    first = origin_of(report, ablation.choices[0])
    return f" Made on {', '.join(f'{name} {first[name]}' for name in hidden)}." if first and hidden else ""


def _made(report: RunReport, choice: Choice) -> list[MadeOn]:
    return [report.records[file] for file in choice.files if file in report.records]
