"""What a server counts as it goes, for Prometheus: over all its processes where it has several."""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from nosce.serve.processes import running

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that names the folder through which processes add up."""

_ROOM = 1 << 18  # bytes of a file of counters, which the library maps into memory
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


class Meters:
    """The counters of one process. Labels come from the configuration and the registry, never from a caller."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        if folder := os.environ.get(SHARED):
            _reserve(Path(folder))
        self.own = CollectorRegistry()
        self.requests = Counter("nosce_requests", "Requests by how they ended.", ["path", "state", "status"], registry=self.own)
        self.tokens = Counter("nosce_tokens", "Tokens spent at the upstreams.", ["upstream", "kind"], registry=self.own)
        self.dollars = Counter("nosce_dollars", "Dollars spent at the upstreams.", ["upstream"], registry=self.own)
        self.outcomes = Counter("nosce_outcomes", "How strategies ended.", ["strategy", "outcome"], registry=self.own)
        self.seconds = Histogram("nosce_request_seconds", "Seconds from a request's head to the end of its answer.",
                                 ["path", "state"], buckets=_SECONDS, registry=self.own)  # fmt: skip
        self.confidence = Histogram("nosce_confidence", "Stated confidence of strategies' answers.",
                                    ["strategy", "calibrated"], buckets=_SHARES, registry=self.own)  # fmt: skip
        self.in_flight = Gauge("nosce_requests_in_flight", "Requests under way.", registry=self.own, multiprocess_mode="livesum")

    def all(self) -> CollectorRegistry:
        """The sums over all processes of the server."""
        folder = os.environ.get(SHARED)
        if not folder:
            return self.own
        for left in {int(path.stem.rpartition("_")[2]) for path in Path(folder).glob("gauge_live*.db")}:
            if not running(left):
                mark_process_dead(left, folder)  # type: ignore[no-untyped-call]
        summed = CollectorRegistry()
        MultiProcessCollector(summed, folder)  # type: ignore[no-untyped-call]
        return summed


def _reserve(folder: Path) -> None:
    """Make the files in which this process will count, with all their room: one that is to grow on a full disk kills its writer.

    Raises OSError where there is no room; whoever reads the folder sees whole files alone.
    """
    for kind in ("counter", "histogram", "gauge_livesum"):
        made, named = folder / f"{kind}_{os.getpid()}.new", folder / f"{kind}_{os.getpid()}.db"
        if named.exists():
            continue
        try:
            made.write_bytes(bytes(_ROOM))
        except OSError:
            made.unlink(missing_ok=True)
            raise
        made.rename(named)
