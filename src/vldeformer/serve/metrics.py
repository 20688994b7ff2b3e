"""What the server counts, for Prometheus to fetch. Addresses are counted by route, so that no request adds a series."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Counters in a registry of their own: two servers in one process count apart."""

    def __init__(self, images: Callable[[], float]) -> None:
        """images: asked each time how many images the index holds."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "vldeformer_requests", "Requests answered.", ["route", "method", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "vldeformer_request_seconds", "From arrival to the last byte.", ["route"], registry=self.registry, buckets=SECONDS
        )
        self._steps = Histogram(
            "vldeformer_step_seconds", "Steps of a search.", ["step"], registry=self.registry, buckets=SECONDS
        )
        self.in_flight = Gauge("vldeformer_requests_in_flight", "Requests that are being answered.", registry=self.registry)
        self.remembered = Counter("vldeformer_answers_remembered", "Answers given again from memory.", registry=self.registry)
        Gauge("vldeformer_images", "Images in the index.", registry=self.registry).set_function(images)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def step(self, name: str, seconds: float | None) -> None:
        """Count a step of a search, if it was taken."""
        if seconds is not None:
            self._steps.labels(name).observe(seconds)

    def text(self) -> bytes:
        """All of it in Prometheus' format."""
        return generate_latest(self.registry)
