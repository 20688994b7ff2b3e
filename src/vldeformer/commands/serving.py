"""The search page and its API on this machine."""

import argparse
import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

from vldeformer.commands.arguments import add_command
from vldeformer.errors import InputError

if TYPE_CHECKING:
    from vldeformer.commands.arguments import Commands

NEEDED = ("fastapi", "httptools", "prometheus_client", "python_multipart", "uvicorn", "uvloop")
CANDIDATES = 20


def add_serving(commands: "Commands") -> None:
    """Serve."""
    added = add_command(commands, "serve", _serve, "a page to search an index with, and its HTTP API")
    added.add_argument("out", type=Path, metavar="INDEX", help="folder of `index`")
    added.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, this machine only)")
    added.add_argument("--port", type=int, default=8000, help="default: 8000; 0: a free one")
    added.add_argument("--joint", metavar="PATH", help="joint model that may order the best: model folder, checkpoint or hub id")
    added.add_argument("--rerank", type=int, metavar="N", help=f"how many it orders; with --joint (default: {CANDIDATES})")
    added.add_argument("--model", metavar="PATH", help="where the index's model is now (default: where it was)")
    added.add_argument(
        "--example", action="append", default=[], metavar="TEXT", help="a query that the page offers; up to 4 times"
    )


def _serve(given: argparse.Namespace) -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"{missing[0].replace('_', '-')} is not installed; pip install 'vldeformer[serve]'")
    if given.rerank is not None and given.joint is None:
        raise InputError("--rerank N goes with --joint MODEL")
    candidates = CANDIDATES if given.rerank is None else given.rerank
    if candidates < 1:
        raise InputError(f"--rerank: expected at least 1 image, got {candidates}")
    if len(given.example) > 4:
        raise InputError(f"--example: expected at most 4 queries, got {len(given.example)}")

    # Before torch is loaded. A thread that spins while it waits for another takes the processor from the rest of the server: on
    # two busy cores a text took 500 ms instead of 9. How many threads there are stays as it is: the bits depend on it.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from vldeformer.serve.app import search_app
    from vldeformer.serve.guard import allowed_hosts
    from vldeformer.serve.live_index import LiveIndex
    from vldeformer.serve.served_joint import ServedJoint
    from vldeformer.serve.server import address, listen, run
    from vldeformer.serve.service import Service

    with listen(given.host, given.port) as listening:
        live = LiveIndex(given.out, given.model)
        joint = None if given.joint is None else ServedJoint(given.joint, live.now.index, candidates)
        app = search_app(Service(live, joint, candidates, given.example), allowed_hosts(given.host))
        said = f"{given.out}: {live.now.images:,} images at {address(listening, given.host)}  (Ctrl-C ends)"
        run(app, listening, lambda: print(said, flush=True))
