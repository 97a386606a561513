"""Every figure the documentation quotes: `python -m bench [NAME …]` prints them and writes bench/results.json."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).with_name("results.json")
Check = tuple[str, Callable[[dict[str, Any]], str], Callable[[dict[str, Any]], bool]]


def _speed(found: dict[str, Any]) -> str:
    return ", ".join(f"{found[f'batch_{size}']['ratio']:.1f}× at {size}" for size in (1, 64, 256))


CHECKS: dict[str, Check] = {
    "decoding": (
        "≥ 5×, 3×, 2× transformers at batch 1, 64, 256",
        _speed,
        lambda f: all(f[f"batch_{size}"]["ratio"] >= f[f"batch_{size}"]["at_least"] for size in (1, 64, 256)),
    ),
    "engine": (
        "≤ 100 µs an attempt, 10,000 × 16 under 20 s, under 300 MB",
        lambda f: f"{f['us_per_attempt']} µs, {f['seconds']} s, {f['peak_mb']} MB",
        lambda f: f["us_per_attempt"] <= 100 and f["seconds"] < 20 and f["peak_mb"] < 300,
    ),
    "frontier": (
        "accuracy bound ≥ −1 point at ≤ 35% of self-consistency@16's tokens",
        lambda f: f"{f['lower_bound_95'] * 100:+.2f} points at {f['share_of_tokens']:.1%}: {f['strategy']}",
        lambda f: f["lower_bound_95"] >= -0.01 and f["share_of_tokens"] <= 0.35,
    ),
    "promise": (
        "risk ≤ 0.2 in ≥ 95% of calibration draws",
        lambda f: f"{f['violations']} of {f['draws']} violated (p = {f['p_value_of_more_than_delta']}), "
        f"coverage {f['mean_coverage']:.1%} of {f['oracle_coverage']:.1%}",
        lambda f: f["p_value_of_more_than_delta"] >= 0.01,
    ),
    "promises": (
        "over 500 calibration draws at two risks: no more broken than δ (one-sided, 1%), coverage within 5 points of the oracle",
        lambda f: "; ".join(
            f"α = {one['alpha']}: {one['broken']} of {one['draws']} broken (p = {one['p_value_of_more_than_delta']}), "
            f"coverage {one['mean_coverage']:.1%} of {one['oracle_coverage']:.1%}"
            for one in f.values()
        ),
        lambda f: all(
            one["p_value_of_more_than_delta"] >= 0.01 and one["oracle_coverage"] - one["mean_coverage"] <= 0.05
            for one in f.values()
        ),
    ),
    "measures": (
        "AUROC2, ECE, Brier and AURC over 10 million rows in ≤ 4 s and ≤ 2 GB; meta-d′ fit ≤ 60 ms",
        lambda f: f"{f['four_measures_10m_rows_s']:.1f} s, {f['four_measures_peak_mb']:.0f} MB, {f['meta_d_fit_ms']:.0f} ms",
        lambda f: f["four_measures_10m_rows_s"] <= 4 and f["four_measures_peak_mb"] <= 2000 and f["meta_d_fit_ms"] <= 60,
    ),
    "signals": (
        "AUROC2 ≥ 0.80 of the chosen signal, ≥ 0.85 of the ensemble; both above the question alone within family × level",
        lambda f: f"{f['single']['name']} {f['single']['auroc2'][0]:.3f} (within {f['single']['over_the_question'][0]:+.3f}), "
        f"ensemble {f['ensemble']['auroc2'][0]:.3f} (within {f['ensemble']['over_the_question'][0]:+.3f})",
        lambda f: f["single"]["auroc2"][0] >= 0.80 and f["ensemble"]["auroc2"][0] >= 0.85
        and min(f[row]["over_the_question"][1] for row in ("single", "ensemble")) > 0,
    ),
    "estimators": (
        "≥ 10× lm-polygraph and uqlm together, the same values to 1e-6",
        lambda f: f"{f['ratio']}×; " + ", ".join(
            f"{name} {f[name]['same']} of {f[name]['estimators']} the same at {f[name]['ratio']}×" if "skipped" not in f[name]
            else f[name]["skipped"] for name in ("lm-polygraph", "uqlm")
        ),
        lambda f: f["ratio"] >= 10 and all(s.get("same") == s.get("estimators") for s in (f["lm-polygraph"], f["uqlm"])),
    ),
    "resume": (
        "nothing lost over 50 kills",
        lambda f: f"{f['lost']} lost, {f['twice']} twice, {f['different']} different over {f['kills']} kills",
        lambda f: f["kills"] >= 50 and f["lost"] == f["twice"] == f["different"] == 0,
    ),
    "training": (
        "a GRPO step of 16 × 8 in at most half of TRL's seconds, the same loss to 1e-5, every rollout used; ≤ 10% of a step "
        "outside forward, backward and decode; killed and resumed, the same weights",
        lambda f: f"{f['seconds']} s, " + (f"TRL {f['trl_seconds']} s: {f['ratio']}×, losses {f['loss_apart']:.0e} apart"
        if "ratio" in f else f["trl"])
        + f"; {f['rollouts_used']} of {f['rollouts']} used; {f['share']['outside']:.1%} outside; {f['kills']} kills",
        lambda f: f.get("ratio", 0) >= 2 and f["loss_apart"] <= 1e-5 and f["rollouts_used"] == f["rollouts"]
        and f["share"]["outside"] <= 0.10 and f["resumed_is_uninterrupted"] and f["kills"] > 0,
    ),
    "proxy": (
        "≥ 5 × LiteLLM, ≥ 8 × optillm, ≥ 45% of direct; adds ≤ 2 ms (p50), ≤ 5 ms (p95), ≤ 5 ms to the first byte; "
        "2,000 slow streams in 600 MB; installs in 300 MB",
        lambda f: f"{f.get('times_litellm')} × LiteLLM, {f.get('times_optillm')} × optillm, {f['times_direct']:.0%} of direct; "
        f"{f['nosce']['added_ms']['p50']} ms, {f['nosce']['added_ms']['p95']} ms, {f['nosce']['first_byte_ms']['p50']} ms; "
        f"{f['nosce']['slow_streams']['served']:,} in {f['nosce']['slow_streams']['peak_mb']} MB; {f['installed']['mb']} MB",
        lambda f: f.get("times_litellm", 0) >= 5 and f.get("times_optillm", 0) >= 8 and f["times_direct"] >= 0.45
        and f["nosce"]["added_ms"]["p50"] <= 2 and f["nosce"]["added_ms"]["p95"] <= 5 and f["nosce"]["first_byte_ms"]["p50"] <= 5
        and f["nosce"]["slow_streams"]["served"] == 2000 and f["nosce"]["slow_streams"]["peak_mb"] <= 600
        and f["installed"]["mb"] <= 300,
    ),
    "dashboard": (
        "every page takes the server ≤ 300 ms over 100,000 requests; three tabs that look on add ≤ 10% to what is passed on (p50)",
        lambda f: "slowest {} ms ({}); × {} watched".format(
            *max((page["processor"], path) for path, page in f["pages_ms"].items()), f["pass_through_ms"]["ratio_p50"]
        ),
        lambda f: max(page["processor"] for page in f["pages_ms"].values()) <= 300 and f["pass_through_ms"]["ratio_p50"] <= 1.1,
    ),
    "poisoning": (
        "planted lessons succeed ≥ 95% less often than against an unguarded memory, and honest questions stay within 1 point of it "
        "in peace: with an operator, and where auditors alone decide",
        lambda f: f"{f['victims']} victims, poison rate {f['poison_rate']:.0%}: {f['unguarded']['success'][0]:.1%} unguarded; "
        + "; ".join(
            f"{name.replace('_', ' ')} {f[name]['success'][0]:.1%}, cut {f[name]['cut'][0]:.1%} "
            f"[{f[name]['cut'][1]:.1%}, {f[name]['cut'][2]:.1%}], honest questions {f[name]['utility'][0] * 100:+.1f} points "
            f"[{f[name]['utility'][1] * 100:+.1f}, {f[name]['utility'][2] * 100:+.1f}]"
            for name in ("operator", "audits_alone")
        ),
        lambda f: all(f[name]["cut"][1] >= 0.95 and f[name]["utility"][1] >= -0.01 for name in ("operator", "audits_alone")),
    ),
}
"""Each benchmark: what is wanted, what was read, whether it holds."""


def measured(name: str) -> dict[str, Any]:
    """What a benchmark found, in a process of its own, so that neither memory nor threads of another count."""
    code = f"import json; from bench.{name} import run; print(json.dumps(run()))"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(names: list[str]) -> int:
    """Run the named benchmarks (all by default); exit code 1 when a figure is missed."""
    table = Table("benchmark", "wanted", "read", "holds", title="nosce bench")
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    missed = 0
    for name in names or list(CHECKS):
        wanted, reading, holds = CHECKS[name]
        started = time.time()
        found = measured(name)
        if "skipped" in found:
            table.add_row(name, wanted, found["skipped"], "skipped")
            continue
        ok = holds(found)
        missed += not ok
        took = round(time.time() - started, 1)
        kept[name] = {**found, "holds": ok, "wanted": wanted, "took_s": took, "machine": platform.machine()}
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
        table.add_row(name, wanted, reading(found), "yes" if ok else "no")
    Console().print(table)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
