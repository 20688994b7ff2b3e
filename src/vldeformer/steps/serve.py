"""``vldeformer serve``: the search page and its API on this machine."""

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import IndexFolder, SearchJoint, SearchModel

NEEDED = ("fastapi", "httptools", "prometheus_client", "python_multipart", "uvicorn", "uvloop")
CANDIDATES = 20


def serve(
    index: IndexFolder,
    /,
    *,
    host: Annotated[str, Parameter(metavar="ADDRESS", help="address to listen on; 127.0.0.1: this machine only")] = "127.0.0.1",
    port: Annotated[int, Parameter(metavar="N", help="port to listen on; 0: a free port")] = 8000,
    joint: Annotated[SearchJoint | None, Parameter(help="joint model for re-ranking")] = None,
    rerank: Annotated[int | None, Parameter(metavar="N", help=f"how many it orders; with --joint; none: {CANDIDATES}")] = None,
    model: SearchModel | None = None,
    example: Annotated[Sequence[str], Parameter(metavar="TEXT", help="example query on the page; up to 4 times")] = (),
) -> None:
    """Serve a search page for an index, and its HTTP API."""
    import importlib.util
    import os

    from vldeformer.errors import InputError

    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"{missing[0].replace('_', '-')} is not installed; pip install 'vldeformer[serve]'")
    if rerank is not None and joint is None:
        raise InputError("--rerank N goes with --joint MODEL")
    candidates = CANDIDATES if rerank is None else rerank
    if candidates < 1:
        raise InputError(f"--rerank: expected at least 1 image, got {candidates}")
    if len(example) > 4:
        raise InputError(f"--example: expected at most 4 queries, got {len(example)}")

    # Before torch is loaded. A thread that spins while it waits for another takes the processor from the rest of the server: on
    # two busy cores a text took 500 ms instead of 9. How many threads there are stays as it is: the bits depend on it.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from vldeformer.serve.app import search_app
    from vldeformer.serve.guard import allowed_hosts
    from vldeformer.serve.live_index import LiveIndex
    from vldeformer.serve.served_joint import ServedJoint
    from vldeformer.serve.server import address, listen, run
    from vldeformer.serve.service import Service

    with listen(host, port) as listening:
        live = LiveIndex(index, model)
        reranker = None if joint is None else ServedJoint(joint, live.now.index, candidates)
        app = search_app(Service(live, reranker, candidates, example), allowed_hosts(host))
        said = f"{index}: {live.now.images:,} images at {address(listening, host)}  (Ctrl-C ends)"
        run(app, listening, lambda: print(said, flush=True))
