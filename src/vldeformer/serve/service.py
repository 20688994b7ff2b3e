"""A request for images → its answer: which thread works on it, what is remembered, and what of it is counted."""

import contextlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import BinaryIO

from vldeformer.errors import InputError
from vldeformer.search.index import Hit
from vldeformer.search.structure import MEANING
from vldeformer.serve import answers
from vldeformer.serve.decoder import Decoder
from vldeformer.serve.live_index import LiveIndex, Opened
from vldeformer.serve.messages import Info
from vldeformer.serve.metrics import Metrics
from vldeformer.serve.refusal import RefusedError
from vldeformer.serve.served_joint import ServedJoint
from vldeformer.serve.shown_pictures import ShownPictures
from vldeformer.serve.uploads import MOST_MB
from vldeformer.serve.work_queue import WorkQueue

MOST_HITS = 200
REMEMBERED = 512
WAITING, WAITING_JOINT = 256, 16
Gone = Callable[[], Awaitable[bool]]


class Service:
    """What is served, apart from how it is asked.

    Threads: one for the model, where a text is encoded and searched in one go; one for the joint model, whose work is long; two
    for files and for what needs no model. A photograph that is sent in is decoded and made as small as the model reads it by the
    two for files: hundreds may wait for the model, and of their own size they would fill the memory.
    """

    def __init__(self, live: LiveIndex, joint: ServedJoint | None, candidates: int, examples: Sequence[str]) -> None:
        self.live, self.joint, self.candidates, self.examples = live, joint, candidates, list(examples)
        self.model_queue, self.file_queue = WorkQueue("model", 1, WAITING), WorkQueue("files", 2, WAITING)
        self.joint_queue = WorkQueue("joint", 1, WAITING_JOINT)
        self.metrics, self.pictures = Metrics(lambda: live.now.images), ShownPictures()
        self.decoder = Decoder()
        self._remembered = OrderedDict[tuple[int, str, int, bool], bytes]()

    def info(self) -> Info:
        """What is served."""
        opened = self.live.now
        known, structure = opened.index.description, opened.index.structure
        return Info(
            name=opened.index.folder.resolve().name,
            images=opened.images,
            structure=structure,
            structure_meaning=MEANING[structure],
            model="/".join(known.model.rstrip("/").split("/")[-2:]),
            width=known.width,
            joint=self.joint is not None,
            max_k=MOST_HITS,
            rerank_candidates=self.candidates,
            max_upload_mb=MOST_MB,
            examples=self.examples,
        )

    async def warm_up(self) -> None:
        """Do in the model's thread what its first queries would wait for."""
        for _ in range(3):
            with contextlib.suppress(InputError):  # of images that have gone; every search will say so
                await self.model_queue.run(lambda: self.live.now.index.search("warm-up", 1), _nobody_left)

    async def text(self, text: str, k: int, rerank: bool, gone: Gone) -> bytes:
        """The answer to a text, as JSON; the same bytes again if it is asked again. Raises InputError or RefusedError."""
        started, opened = time.perf_counter(), self.live.now
        if rerank and self.joint is None:
            raise RefusedError(400, "rerank: there is no joint model here; start `vldeformer serve` with --joint MODEL")
        key = (opened.version, text, k, rerank)
        if key in self._remembered:
            self._remembered.move_to_end(key)
            self.metrics.remembered.inc()
            return self._remembered[key]
        most = max(k, self.candidates) if rerank else k
        found = await self.model_queue.run(lambda: answers.by_text(opened.index, text, most), gone)
        if rerank:
            before = found
            found = await self.joint_queue.run(
                lambda: answers.reranked(before, lambda hits: self._rerank(opened, text, hits), self.candidates, k), gone
            )
        answer = self._remembered[key] = self._written(text, found, started, self._joint_all(opened))
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return answer

    async def photograph(self, name: str, file: BinaryIO, k: int, gone: Gone) -> bytes:
        """The answer to a photograph that was sent in. Raises InputError or RefusedError."""
        started, opened = time.perf_counter(), self.live.now
        image = await self.file_queue.run(lambda: answers.prepared(opened.index, self.decoder.decode(file)), gone)
        found = await self.model_queue.run(lambda: answers.by_image(opened.index, image, k), gone)
        return self._written(name, found, started, None)

    async def similar(self, image_id: str, k: int, gone: Gone) -> bytes:
        """The answer to an image of the index. Raises RefusedError if it is not there."""
        started, opened = time.perf_counter(), self.live.now

        def work() -> answers.Found:
            if image_id not in opened.index:
                raise RefusedError(404, f"image {image_id[:200]!r} is not in the index")
            return answers.by_id(opened.index, image_id, k)

        return self._written(image_id, await self.file_queue.run(work, gone), started, None)

    async def picture(self, image_id: str, side: int, known: str | None, gone: Gone) -> tuple[str, bytes | None]:
        """The stamp of an image and its JPEG, None in its place if ``known`` is that stamp. Raises RefusedError."""
        index = self.live.now.index

        def work() -> tuple[str, bytes | None]:
            stamp = self.pictures.stamp(index, image_id)
            tag = f'"{stamp}-{side}"'
            return tag, None if known == tag else self.pictures.jpeg(index, image_id, stamp, side)

        return await self.file_queue.run(work, gone)

    def close(self) -> None:
        """Let go of the threads and of the decoder's processes."""
        for queue in (self.model_queue, self.joint_queue, self.file_queue):
            queue.close()
        self.decoder.close()

    def _rerank(self, opened: Opened, text: str, hits: Sequence[Hit]) -> list[Hit]:
        assert self.joint is not None
        try:
            return self.joint.rerank(text, hits, opened.index.images)
        except (InputError, OSError):  # it names a path
            raise RefusedError(409, "rerank: a photograph cannot be read now; index the images again, or ask without") from None

    def _joint_all(self, opened: Opened) -> float | None:
        return None if self.joint is None else self.joint.all_seconds(opened.images)

    def _written(self, query: str, found: answers.Found, started: float, joint_all: float | None) -> bytes:
        for step, seconds in (("encode", found.encode), ("search", found.search), ("rerank", found.rerank)):
            self.metrics.step(step, seconds)
        return answers.written(query, found, time.perf_counter() - started, joint_all)


async def _nobody_left() -> bool:
    return False
