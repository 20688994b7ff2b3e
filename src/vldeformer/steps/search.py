"""``vldeformer search``: the images of an index nearest to texts or a photograph."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from vldeformer.errors import InputError
from vldeformer.steps.arguments import IndexFolder, SearchJoint, SearchModel, exactly_one

if TYPE_CHECKING:
    from vldeformer.search.index import Hit, SearchIndex
    from vldeformer.search.joint_reranker import JointReranker


def search(
    index: IndexFolder,
    text: Annotated[str | None, Parameter(help="text to search for")] = None,
    /,
    *,
    image: Annotated[Path | None, Parameter(help="search for images like this photograph")] = None,
    queries: Annotated[Path | None, Parameter(help="UTF-8 file with one text per line")] = None,
    k: Annotated[int, Parameter(name="-k", metavar="N", help="number of images")] = 10,
    rerank: Annotated[int | None, Parameter(metavar="N", help="re-rank the best N with the joint model; with --joint")] = None,
    joint: SearchJoint | None = None,
    model: SearchModel | None = None,
    format: Annotated[Literal["table", "jsonl", "sheet"], Parameter(help="output format")] = "table",
    as_json: Annotated[bool, Parameter(name="--json", help="the same as --format jsonl")] = False,
    out: Annotated[Path | None, Parameter(help="file to write; a sheet needs one (.jpg, .png)")] = None,
) -> None:
    """Find the images of an index that are nearest to a text or a photograph."""
    from vldeformer.artifact import check_file, whole_file
    from vldeformer.data.photographs import open_photograph
    from vldeformer.search.contact_sheet import check_sheet, write_contact_sheet
    from vldeformer.search.index import SearchIndex
    from vldeformer.search.joint_reranker import JointReranker

    exactly_one(TEXT=text, image=image, queries=queries)
    if (rerank is None) != (joint is None):
        raise InputError("--rerank N and --joint MODEL go together")
    if image is not None and rerank is not None:
        raise InputError("--rerank reads a text with each image; it does not go with --image")
    if k < 1:
        raise InputError(f"-k: expected at least 1, got {k}")
    if rerank is not None and rerank < k:
        raise InputError(f"--rerank: expected at least -k {k}, got {rerank}; give a larger N or a smaller -k")
    if as_json:
        if format == "sheet":
            raise InputError("--json is the same as --format jsonl; it does not go with --format sheet")
        format = "jsonl"
    if format == "sheet":
        check_sheet(out or Path("--out"))
    elif out is not None:
        check_file(out)
    texts = [] if text is None else [text]
    if queries is not None:
        texts = _texts_of(queries)
    opened = SearchIndex.open(index, model)
    if not len(opened):
        print(f"{index}: holds no images; run `vldeformer index` again, which goes on where it was", file=sys.stderr)
    found: Iterator[tuple[str, list[Hit]]]
    if image is not None:
        found = iter([(str(image), opened.search_image(open_photograph(image), k))])
    else:
        reranker = None if joint is None else JointReranker(joint, opened.images, opened.encoder.transform.extractor)
        found = _found(opened, texts, k, reranker, rerank or 0)
    if out is not None and format == "sheet":
        write_contact_sheet(out, list(found), opened.images)
        return
    lines = _json_lines(found) if format == "jsonl" else _table(found, several=queries is not None)
    if out is None:
        for line in lines:
            print(line)
        return
    with whole_file(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def _texts_of(queries: Path) -> list[str]:
    """The texts of a file, one a line. Raises InputError naming the line that is empty."""
    from vldeformer.text_files import lines_of, read_text

    try:
        lines = lines_of(read_text(queries))
    except UnicodeDecodeError as error:
        raise InputError(f"{queries}: expected a text a line in UTF-8, got other bytes ({error})") from None
    empty = next((number for number, line in enumerate(lines, start=1) if not line.strip()), None)
    if not lines or empty is not None:
        where = "the file" if empty is None else f"line {empty}"
        raise InputError(f"{queries}: expected a text a line, {where} is empty; write one or delete it")
    return lines


def _found(
    index: "SearchIndex", texts: Sequence[str], k: int, reranker: "JointReranker | None", rerank: int
) -> Iterator[tuple[str, "list[Hit]"]]:
    from vldeformer.search.contact_sheet import plain

    for text in texts:
        found = index.search(text, k, reranker, rerank)
        note = index.unread(text)
        if note:
            print(f"{plain(text[:60])}: {note}", file=sys.stderr)
        yield text, found


def _table(found: Iterator[tuple[str, "list[Hit]"]], several: bool) -> Iterator[str]:
    from vldeformer.search.contact_sheet import plain

    for text, hits in found:
        if several:
            yield plain(text)
        joint = any(hit.joint is not None for hit in hits)
        yield f"{'rank':>5}  {'score':>7}  {'joint':>7}  id" if joint else f"{'rank':>5}  {'score':>7}  id"
        for rank, hit in enumerate(hits, start=1):
            more = f"  {hit.joint:7.3f}" if hit.joint is not None else ""
            yield f"{rank:5}  {hit.score:7.4f}{more}  {plain(hit.id)}"


def _json_lines(found: Iterator[tuple[str, "list[Hit]"]]) -> Iterator[str]:
    for text, hits in found:
        for rank, hit in enumerate(hits, start=1):
            value = {"query": text, "rank": rank, "id": hit.id, "score": hit.score}
            value |= {"joint": hit.joint} if hit.joint is not None else {}
            yield json.dumps(value | {"path": str(hit.path) if hit.path else None}, ensure_ascii=True)
