"""Stage `page`: report.json, scores and pictures → one self-contained HTML page. Needs no torch."""

from collections.abc import Mapping
from pathlib import Path

from vldeformer.artifact import whole_file
from vldeformer.data.manifest import Manifest
from vldeformer.data.photographs import open_pictures
from vldeformer.datasets.joined import is_region_store, open_region_store
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.evaluation.run_report import COMPARED, REPORT, RunReport
from vldeformer.report.page import Examples, render_page
from vldeformer.report.page_examples import image_examples, text_examples
from vldeformer.report.page_gallery import Gallery, Judged
from vldeformer.report.page_provenance import trace
from vldeformer.report.settings import ReportSettings
from vldeformer.retrieval.embeddings import Embeddings, Scores
from vldeformer.stages.sections import read_section


def page(
    settings: Path,
    ablations: Path | None,
    results: Path,
    judged: Mapping[str, Path],
    journals: Mapping[str, Path],
    manifest: Path,
    negatives: Path | None,
    visual: Path,
    pictures: Path | None,
    out: Path,
) -> None:
    """Write the page about a finished run.

    Args:
        settings: settings file with the section ``report``.
        ablations: settings file of `ablations`, if that was run and the page is to have its tables.
        results: folder results/DATASET that `report` wrote.
        judged: experiment → folder of `embed`, `score` or `score-oracle`.
        journals: not read; the training curves are in report.json.
        manifest: manifest.json.
        negatives: folder of composed hard negatives; None: none were composed.
        visual: region or pixel store that the main model reads.
        pictures: store of pixels or photographs; None: the data set has none here.
        out: index.html to write.

    """
    section = read_section(settings, "report", ReportSettings)
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
    regions = open_region_store(visual) if is_region_store(visual) else None
    if negatives is None:
        missing.append("No hard negatives were composed in this run.")
    texts = text_examples(negatives, captions, shown) if negatives else []
    images = image_examples(negatives, captions, shown, regions) if negatives else []
    text = render_page(report, ablated, Examples(groups, texts, images, missing), trace(judged))
    with whole_file(out) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _judged(name: str, titles: Mapping[str, str], results: Path, folders: Mapping[str, Path]) -> Judged | None:
    path = results / name / f"{COMPARED}.json"
    if name not in folders or not path.is_file():
        return None
    scored = (Scores if (folders[name] / "scores.npy").is_file() else Embeddings).load(folders[name])
    return Judged(titles[name], scored, RetrievalResult.load(path))
