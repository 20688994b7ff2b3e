"""Searching one's own photographs: make an index, search it, change it, hand it on."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from vldeformer.commands.arguments import ANY_MODEL, add_command, add_paths
from vldeformer.errors import InputError

if TYPE_CHECKING:
    from vldeformer.commands.arguments import Commands
    from vldeformer.retrieval.encode import Progress
    from vldeformer.search.index import Hit, SearchIndex

STRUCTURES = ("auto", "flat", "pq4", "sq8", "hnsw", "ivfpq")
SHOWN_PROBLEMS = 5


def add_searching(commands: "Commands") -> None:
    """index, search, index-remove, index-export."""
    _add_index(add_command(commands, "index", _index, "make a search index of photographs, or add what is new to one"))
    _add_search(add_command(commands, "search", _search, "the images of an index nearest to a text or a photograph"))
    added = add_command(commands, "index-remove", _remove, "take images out of an index")
    added.add_argument("out", type=Path, metavar="INDEX", help="folder of `index`")
    added.add_argument("ids", nargs="+", metavar="ID", help="id of an image, as `search` shows it")
    added = add_command(commands, "index-export", _export, "ids, paths and vectors of an index as Parquet or into LanceDB")
    added.add_argument("index", type=Path, metavar="INDEX", help="folder of `index`")
    add_paths(added, out="file that ends in .parquet, or the folder of a LanceDB database with --to lancedb")
    added.add_argument("--to", choices=("parquet", "lancedb"), default="parquet", help="default: parquet")


def _add_index(to: argparse.ArgumentParser) -> None:
    add_paths(to, model=ANY_MODEL, images="folder of photographs, region store or pixel store", out="index folder")
    to.add_argument(
        "--structure",
        choices=STRUCTURES,
        help="how neighbours are found; default: as before, at first auto (by the number of images)",
    )
    to.add_argument("--prune", action="store_true", help="take out images that are no longer there")
    to.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where the model runs (default: cpu)")


def _add_search(to: argparse.ArgumentParser) -> None:
    to.add_argument("index", type=Path, metavar="INDEX", help="folder of `index`")
    query = to.add_mutually_exclusive_group(required=True)
    query.add_argument("text", nargs="?", metavar="TEXT", help="what to look for")
    query.add_argument("--image", type=Path, metavar="FILE", help="a photograph to find the like of")
    query.add_argument("--queries", type=Path, metavar="FILE", help="a text a line, UTF-8")
    to.add_argument("-k", type=int, default=10, metavar="N", help="images to show (default: 10)")
    to.add_argument("--rerank", type=int, metavar="N", help="let the joint model order the best N; with --joint")
    to.add_argument("--joint", type=Path, metavar="PATH", help="joint model: model folder, checkpoint or hub id; with --rerank")
    to.add_argument("--model", metavar="PATH", help="where the index's model is now (default: where it was)")
    to.add_argument("--format", choices=("table", "jsonl", "sheet"), default="table", help="default: table")
    to.add_argument("--out", type=Path, default=None, metavar="FILE", help="file to write; a sheet needs one (.jpg, .png)")


def _index(given: argparse.Namespace) -> None:
    from vldeformer.search.structure import MEANING
    from vldeformer.search.writing import index_images
    from vldeformer.stages.progress import progress_bar

    bars = []

    def started(total: int) -> "Progress":
        bars.append(progress_bar(total=total, unit="image", desc="index"))
        update: Progress = bars[0].update
        return update

    try:
        made = index_images(given.model, given.images, given.out, given.structure, given.prune, given.device, started)
    finally:
        for bar in bars:
            bar.close()
    if _is_joint(Path(given.model)):
        print(f"{given.model}: a joint model, decomposed as it is: its vectors were never trained for search", file=sys.stderr)
    changed = f"{made.added:,} added, {made.replaced:,} replaced, {made.removed:,} removed"
    print(f"{given.out}: {made.images:,} images ({changed}); {made.structure}: {MEANING[made.structure]}")
    if made.gone:
        print(f"{made.gone:,} indexed images are no longer there; --prune takes them out", file=sys.stderr)
    for one in made.skipped[:SHOWN_PROBLEMS]:
        print(f"skipped {_line(one.id)}: {_line(one.problem)}", file=sys.stderr)
    if len(made.skipped) > SHOWN_PROBLEMS:
        print(f"{len(made.skipped):,} skipped in all: {given.out}/shards/*/skipped.json", file=sys.stderr)


def _is_joint(model: Path) -> bool:
    """Whether it is a model folder of this project that reads captions and images together."""
    from vldeformer.artifact import read_json
    from vldeformer.models.weights import DESCRIPTION

    return (model / DESCRIPTION).is_file() and read_json(model / DESCRIPTION).get("kind") == "joint"


def _search(given: argparse.Namespace) -> None:
    from vldeformer.artifact import check_file, whole_file
    from vldeformer.search.contact_sheet import check_sheet, write_contact_sheet
    from vldeformer.search.index import SearchIndex

    if (given.rerank is None) != (given.joint is None):
        raise InputError("--rerank N and --joint MODEL go together")
    if given.image is not None and given.rerank is not None:
        raise InputError("--rerank reads a text with each image; it does not go with --image")
    if given.k < 1:
        raise InputError(f"-k: expected at least 1, got {given.k}")
    if given.rerank is not None and given.rerank < given.k:
        raise InputError(f"--rerank: expected at least -k {given.k}, got {given.rerank}; give a larger N or a smaller -k")
    if given.format == "sheet":
        check_sheet(given.out or Path("--out"))
    elif given.out is not None:
        check_file(given.out)
    queries = _queries(given)
    index = SearchIndex.open(given.index, given.model)
    if not len(index):
        print(f"{given.index}: holds no images; run `vldeformer index` again, which goes on where it was", file=sys.stderr)
    found = _found(given, index, queries)
    if given.format == "sheet":
        write_contact_sheet(given.out, list(found), index.images)
        return
    lines = _json_lines(found) if given.format == "jsonl" else _table(found, several=given.queries is not None)
    if given.out is None:
        for line in lines:
            print(line)
        return
    with whole_file(given.out) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def _queries(given: argparse.Namespace) -> list[str]:
    """The texts to look for. Raises InputError naming the line that is empty."""
    if given.queries is None:
        return [] if given.text is None else [given.text]
    try:
        lines: list[str] = given.queries.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{given.queries}: expected a text a line in UTF-8, got other bytes ({error})") from None
    empty = next((number for number, line in enumerate(lines, start=1) if not line.strip()), None)
    if not lines or empty is not None:
        where = "the file" if empty is None else f"line {empty}"
        raise InputError(f"{given.queries}: expected a text a line, {where} is empty; write one or delete it")
    return lines


def _found(given: argparse.Namespace, index: "SearchIndex", queries: list[str]) -> Iterator[tuple[str, "list[Hit]"]]:
    from vldeformer.data.photographs import open_photograph
    from vldeformer.search.joint_reranker import JointReranker

    if given.image is not None:
        yield str(given.image), index.search_image(open_photograph(given.image), given.k)
        return
    rerank = None
    if given.joint is not None:
        rerank = JointReranker(given.joint, index.images, index.encoder.transform.detector)
    for text in queries:
        found = index.search(text, given.k, rerank, given.rerank or 0)
        note = index.unread(text)
        if note:
            print(f"{_line(text[:60])}: {note}", file=sys.stderr)
        yield text, found


def _table(found: Iterator[tuple[str, "list[Hit]"]], several: bool) -> Iterator[str]:
    for text, hits in found:
        if several:
            yield _line(text)
        joint = any(hit.joint is not None for hit in hits)
        yield f"{'rank':>5}  {'score':>7}  {'joint':>7}  id" if joint else f"{'rank':>5}  {'score':>7}  id"
        for rank, hit in enumerate(hits, start=1):
            more = f"  {hit.joint:7.3f}" if hit.joint is not None else ""
            yield f"{rank:5}  {hit.score:7.4f}{more}  {_line(hit.id)}"


def _json_lines(found: Iterator[tuple[str, "list[Hit]"]]) -> Iterator[str]:
    for text, hits in found:
        for rank, hit in enumerate(hits, start=1):
            value = {"query": text, "rank": rank, "id": hit.id, "score": hit.score}
            value |= {"joint": hit.joint} if hit.joint is not None else {}
            yield json.dumps(value | {"path": str(hit.path) if hit.path else None}, ensure_ascii=True)


def _remove(given: argparse.Namespace) -> None:
    from vldeformer.search.writing import remove_images

    print(f"{given.out}: {remove_images(given.out, given.ids):,} images")


def _export(given: argparse.Namespace) -> None:
    from vldeformer.search.export import export_lance, export_parquet
    from vldeformer.search.index import SearchIndex

    export = export_lance if given.to == "lancedb" else export_parquet
    print(f"{given.out}: {export(SearchIndex.open(given.index), given.out):,} images")


def _line(text: str) -> str:
    from vldeformer.search.contact_sheet import plain

    return plain(text)
