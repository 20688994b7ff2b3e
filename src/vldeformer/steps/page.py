"""Step `page`: report.json, scores and pictures → one self-contained HTML page."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import NO_PATHS, Features, ManifestFile, NamedPaths, SettingsFile

if TYPE_CHECKING:
    from vldeformer.report.page_gallery import Judged

VERSION = 4


def page(
    *,
    settings: SettingsFile,
    ablations: Annotated[Path | None, Parameter(help="settings file of `ablations`, if ablations were run")] = None,
    results: Annotated[Path, Parameter(help="folder results/NAME, made by `report`")],
    judged: Annotated[NamedPaths, Parameter(help="folders made by `embed` and `score`, by experiment")] = NO_PATHS,
    journals: Annotated[NamedPaths, Parameter(help="ignored; kept for old command lines")] = NO_PATHS,
    manifest: ManifestFile,
    negatives: Annotated[Path | None, Parameter(help="folder of composed hard negatives")] = None,
    features: Annotated[Features, Parameter(help="region store or pixel store that the main model reads")],
    pictures: Annotated[Path | None, Parameter(help="store of pixels or photographs, if there is one")] = None,
    out: Annotated[Path, Parameter(help="index.html to write")],
) -> None:
    """Write results, scores and pictures as one self-contained HTML page."""
    from vldeformer.artifact import whole_file
    from vldeformer.data.manifest import Manifest
    from vldeformer.data.parts import is_region_store, open_region_store
    from vldeformer.data.photographs import open_pictures
    from vldeformer.evaluation.run_report import REPORT, RunReport
    from vldeformer.report.lineage import trace
    from vldeformer.report.page import Examples, render_page
    from vldeformer.report.page_examples import image_examples, text_examples
    from vldeformer.report.page_gallery import Gallery
    from vldeformer.report.settings import ReportSettings
    from vldeformer.steps.settings_file import read_section

    section = read_section(settings, "report", ReportSettings, VERSION)
    report = RunReport.load(results / REPORT)
    ablated = RunReport.load(results / "ablations" / REPORT) if ablations else None
    captions, shown = Manifest.load(manifest), open_pictures(pictures) if pictures else None
    missing = [] if shown else ["This data set has no pictures here, only features of them: ids and captions take their place."]
    models = [_judged(name, report.titles, results, judged) for name in (section.main, section.baseline)]
    if models[1] is None:
        missing.append("The joint model was not scored, so there is nothing to compare the answers with.")
    if models[0] is None:
        missing.append("The main model's vectors are not here, so there are no answers to show.")
    groups = Gallery(models[0], models[1], captions, shown).groups() if models[0] else []
    regions = open_region_store(features) if is_region_store(features) else None
    if negatives is None:
        missing.append("No hard negatives were composed in this run.")
    texts = text_examples(negatives, captions, shown) if negatives else []
    images = image_examples(negatives, captions, shown, regions) if negatives else []
    text = render_page(report, ablated, Examples(groups, texts, images, missing), trace(judged))
    with whole_file(out) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _judged(name: str, titles: Mapping[str, str], results: Path, folders: Mapping[str, Path]) -> "Judged | None":
    from vldeformer.evaluation.result import RetrievalResult
    from vldeformer.evaluation.run_facts import COMPARED
    from vldeformer.report.page_gallery import Judged
    from vldeformer.retrieval.embeddings import Embeddings, Scores

    path = results / name / f"{COMPARED}.json"
    if name not in folders or not path.is_file():
        return None
    scored = (Scores if (folders[name] / "scores.npy").is_file() else Embeddings).load(folders[name])
    return Judged(titles[name], scored, RetrievalResult.load(path))
