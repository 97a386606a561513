"""`/metrics`: what the server counted, and how it stands now, in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from nosce.serve.learning import drift
from nosce.serve.service import Service


def exposition(service: Service) -> bytes:
    """Every metric with its help and type."""
    now = CollectorRegistry()
    now.register(_Standing(service))
    return generate_latest(service.meters.all()) + generate_latest(now)


@dataclass(eq=False)
class _Standing(Collector):
    """How the server stands: read when it is asked. Upstreams are as this process sees them."""

    service: Service

    def collect(self) -> Iterator[Metric]:
        """The gauges."""
        up = GaugeMetricFamily("nosce_upstream_up", "1 for a replica that may be asked now.", labels=["upstream", "replica"])
        failed = CounterMetricFamily("nosce_upstream_failures", "Failed tries of a replica.", labels=["upstream", "replica"])
        replicas = [replica for every in self.service.upstreams.replicas.values() for replica in every]
        for number, replica in enumerate(replicas):
            up.add_metric([replica.alias, str(number)], float(replica.healthy))
            failed.add_metric([replica.alias, str(number)], float(replica.failed))
        yield up
        yield failed
        yield from self._learned()
        cut = self.service.store.one("SELECT COUNT(*) AS n FROM requests WHERE state='interrupted'")
        left = float(cut["n"] if cut else 0)
        yield _gauge("nosce_requests_interrupted", "Requests on file that the end of a server cut off.", left)
        yield _gauge("nosce_journal_writable", "1 while answers can be written down.", float(self.service.store.mended()))

    def _learned(self) -> Iterator[Metric]:
        seen = drift(self.service.store)
        waiting = self.service.store.one("SELECT COUNT(*) AS n FROM audit WHERE state='open'")
        yield _gauge("nosce_audit_open", "Answers that wait for an auditor.", float(waiting["n"] if waiting else 0))
        yield _gauge("nosce_audit_labels", "Audited answers.", float(seen.labels))
        yield _gauge("nosce_confidence_gap", "Mean of right minus confidence on audited answers.", seen.gap)
        yield _gauge("nosce_drift_alarm", "1 when the confidence no longer tells the truth.", float(seen.alarm))


def _gauge(name: str, help_: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_, value=value)
