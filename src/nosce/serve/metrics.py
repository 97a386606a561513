"""The counters of a server in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nosce.serve.learning import drift
from nosce.serve.service import Service

Sample = tuple[dict[str, str], float]


def exposition(service: Service) -> str:
    """Every metric with its help and type. Counters are of this process; a scraper adds up the processes."""
    return "\n".join(_lines(service)) + "\n"


def _lines(service: Service) -> Iterator[str]:
    counts = service.counts
    requests = [({"path": k[1], "state": k[2], "status": k[3]}, float(v)) for k, v in counts.items() if k[0] == "requests"]
    tokens = [({"upstream": k[1], "kind": k[2]}, float(v)) for k, v in counts.items() if k[0] == "tokens"]
    outcomes = [({"strategy": k[1], "outcome": k[2]}, float(v)) for k, v in counts.items() if k[0] == "outcomes"]
    replicas = [r for all_ in service.upstreams.replicas.values() for r in all_]
    yield from _metric("nosce_requests_total", "counter", "Requests by how they ended.", requests)
    yield from _metric("nosce_tokens_total", "counter", "Tokens spent at the upstreams.", tokens)
    yield from _metric("nosce_outcomes_total", "counter", "How strategies ended.", outcomes)
    yield from _metric("nosce_requests_in_flight", "gauge", "Requests under way.", [({}, float(service.in_flight))])
    yield from _metric("nosce_upstream_up", "gauge", "1 for a replica that may be asked now.",
                       [({"upstream": r.alias, "replica": str(i)}, float(r.healthy)) for i, r in enumerate(replicas)])  # fmt: skip
    yield from _metric("nosce_upstream_failures_total", "counter", "Failed tries of a replica.",
                       [({"upstream": r.alias, "replica": str(i)}, float(r.failed)) for i, r in enumerate(replicas)])  # fmt: skip
    yield from _learned(service)
    writable: list[Sample] = [({}, float(service.store.writable))]
    yield from _metric("nosce_journal_writable", "gauge", "1 while answers can be written down.", writable)


def _learned(service: Service) -> Iterator[str]:
    seen = drift(service.store)
    waiting = service.store.one("SELECT COUNT(*) AS n FROM audit WHERE state='open'")
    yield from _metric(
        "nosce_audit_open", "gauge", "Answers that wait for an auditor.", [({}, float(waiting["n"] if waiting else 0))]
    )
    yield from _metric("nosce_audit_labels", "gauge", "Audited answers.", [({}, float(seen.labels))])
    yield from _metric("nosce_confidence_gap", "gauge", "Mean of right minus confidence on audited answers.", [({}, seen.gap)])
    yield from _metric("nosce_drift_alarm", "gauge", "1 when the confidence no longer tells the truth.", [({}, float(seen.alarm))])


def _metric(name: str, kind: str, help_: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {help_}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        named = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        yield f"{name}{{{named}}} {value:g}" if named else f"{name} {value:g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
