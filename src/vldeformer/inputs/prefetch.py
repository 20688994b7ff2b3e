"""The next batch is read while the model works on this one."""

from concurrent.futures import Future, ThreadPoolExecutor

from vldeformer.inputs.batch import PairBatch
from vldeformer.inputs.streams import PairStream


class Prefetcher:
    """The batches of ``stream``, bit for bit; after each one the next is read in a thread, so that a second one is in memory.

    Only for a stream whose batches depend on nothing but their step: not for mined negatives, which change in between.
    """

    def __init__(self, stream: PairStream) -> None:
        self.stream = stream
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._ahead: dict[int, Future[PairBatch]] = {}

    def batch(self, step: int) -> PairBatch:
        """The batch of ``step`` (from 0). What goes wrong while a batch is read is raised when it is asked for."""
        found = self._ahead.pop(step, None) or self._reader.submit(self.stream.batch, step)
        batch = found.result()
        self._ahead = {step + 1: self._reader.submit(self.stream.batch, step + 1)}
        return batch
