"""Our estimators beside those of lm-polygraph and uqlm: the same recorded generations, the same similarities, each peer's own code.

The generations are drawn once from the bundled model and kept. Similarities and entailment are made by rule from the texts, so
no model runs while the clock does; times are processor seconds of one thread. `make peers` installs the peers.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nosce.core.attempt import Attempt
from nosce.core.problem import Problem
from nosce.core.streams import stream_key
from nosce.mind.engine import Engine
from nosce.models.load import load
from nosce.monitor.equivalence import Entails, Ints, connected, grouped, mutual, unopposed
from nosce.monitor.measure import measures
from nosce.monitor.observe import observe
from nosce.monitor.similarity import cosines, hashed_ngrams
from nosce.monitor.statistics import Statistics
from nosce.systems.monitor.claim_conditioned_probability import bare
from nosce.tasks.bundled import draw_problems

Floats = NDArray[np.float64]
QUESTIONS, SAMPLES, TOP = 2000, 10, 10
KEPT = Path(__file__).parent.parent / "runs" / "bench" / "generations.json"
PEERS = Path(os.environ.get("NOSCE_PEERS", Path(__file__).parent.parent / ".peers"))
SAME = 1e-6


# -- the recording --------------------------------------------------------------------------------------------------------


def recording() -> Path:
    """The file of recorded generations, made when it is not there."""
    if not KEPT.exists():
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        KEPT.write_text(json.dumps(asyncio.run(_recorded())))
    return KEPT


async def _recorded() -> list[dict[str, Any]]:
    engine = Engine({"main": load("socrates")})
    problems = [replace(problem, tools=()) for problem in draw_problems(n=QUESTIONS, part="dev")]
    return list(await asyncio.gather(*(_one(engine, problem) for problem in problems)))


async def _one(engine: Engine, problem: Problem) -> dict[str, Any]:
    """A greedy attempt with its alternatives, ten samples, and how all of them relate."""
    mind = engine.mind(problem)
    attempts = [*await mind.think(problem, temperature=0.0, top=TOP), *await mind.think(problem, n=SAMPLES)]
    stats = await observe(problem, attempts, mind, {"pieces", "prior", "samples"})
    if stats.relevance is None or stats.prior is None or attempts[0].top is None:
        raise RuntimeError(f"{problem.id}: the bundled model did not give what the recording needs")
    texts = [attempt.text for attempt in attempts]
    return {
        "id": problem.id, "prior": [0.0, *stats.prior[1:]], "relevance": [row.tolist() for row in stats.relevance],
        "attempts": [{"text": a.text, "answer": a.answer, "logprobs": a.logprobs, "top": a.top} for a in attempts],
        "similarity": cosines(hashed_ngrams(texts)).tolist(), "nli": [[_relation(a, b) for b in texts] for a in texts],
        "relations": [_token_relations([text for text, _ in row]) for row in attempts[0].top],
    }  # fmt: skip


def _relation(a: str, b: str) -> list[float]:
    """Probabilities of entailment, neutrality and contradiction by rule: equal answers tend to entail, others to contradict."""
    if a == b:
        return [1.0, 0.0, 0.0]
    alike = a.rpartition("<ans>")[2] == b.rpartition("<ans>")[2]
    noise = [stream_key(a, b, i) / 2**63 for i in range(3)]
    weights = np.exp([2.0 * alike + noise[0], 0.5 + noise[1], 2.0 * (not alike) + noise[2]])
    return list(weights / weights.sum())


def _token_relation(a: str, b: str) -> int:
    """0 for equal tokens, 2 for two different numbers, else by a hash of the pair."""
    if a == b:
        return 0
    return 2 if a.isdigit() and b.isdigit() else stream_key(a, b) % 3


def _token_relations(row: Sequence[str]) -> tuple[list[int], list[int]]:
    words = [bare(text) for text in row]
    return [_token_relation(words[0], word) for word in words], [_token_relation(word, words[0]) for word in words]


def _table(top: Sequence[Sequence[tuple[str, float]]]) -> Entails:
    """An entailment model that knows the pairs of one attempt already: inference is not what is timed."""
    words = [[bare(text) for text, _ in row] for row in top]
    pairs = {pair for row in words for word in row for pair in ((row[0], word), (word, row[0]))}
    known = {pair: _token_relation(*pair) for pair in pairs}
    return lambda asked: np.eye(3)[[known[pair] for pair in asked]]


# -- ours -----------------------------------------------------------------------------------------------------------------

Rule = Callable[[Floats], Ints]


def either(nli: Floats) -> Ints:
    """uqlm's clusters: entailment in one direction is enough."""
    yes = nli.argmax(axis=-1) == 0
    return grouped(yes | yes.T)


def two_way(nli: Floats) -> Ints:
    """lm-polygraph's classes: entailment in both directions."""
    return grouped(mutual(nli))


def tied(nli: Floats) -> Ints:
    """lm-polygraph's semantic sets: components of entailment above contradiction."""
    return connected(unopposed(nli))


def read(question: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of Statistics from one recorded question."""
    attempts = [
        Attempt(f"n{i}", a["text"], a["answer"], logprobs=tuple(a["logprobs"]), top=_tuples(a["top"]))
        for i, a in enumerate(question["attempts"])
    ]
    return {
        "problem": Problem(question["id"], ""), "attempts": attempts, "similarity": np.array(question["similarity"]),
        "nli": np.array(question["nli"]), "entails": _table(question["attempts"][0]["top"]), "prior": np.array(question["prior"]),
        "relevance": [np.array(row) for row in question["relevance"]],
    }  # fmt: skip


def _tuples(top: Any) -> Any:
    return None if top is None else tuple(tuple((text, logprob) for text, logprob in row) for row in top)


def ours(recorded: Sequence[dict[str, Any]], names: Sequence[str], apart: bool, rules: Mapping[str, Rule]) -> tuple[Any, float]:
    """Values [questions] of each named measure, and the processor seconds of all, statistics included.

    rules: how samples are put into classes, by measure ("" for the rest).
    """
    found: dict[str, list[float]] = {name: [] for name in names}
    known = measures()
    plain = [(found[name], partial(known[name], **OPTIONS.get((apart, name), {}))) for name in names if name not in rules]
    ruled = [(found[name], known[name], rules[name]) for name in names if name in rules]
    start = time.process_time()
    for fields in recorded:
        stats = Statistics(**fields, apart=apart, same=partial(_classes, rules[""], fields["nli"], apart))
        for values, measure in plain:
            values.append(measure(stats).value)
        for values, special, rule in ruled:
            values.append(special(replace(stats, same=partial(_classes, rule, fields["nli"], apart))).value or 0.0)
    return found, time.process_time() - start


def _classes(rule: Rule, nli: Floats, apart: bool, problem: Problem, attempts: Sequence[Attempt]) -> Ints:
    """Classes of the samples; an attempt that stands apart is in none of them."""
    return np.append(-1, rule(nli[1:, 1:])) if apart else rule(nli)


OPTIONS: dict[tuple[bool, str], dict[str, Any]] = {
    (False, "semantic-density"): {"own": False},
    (True, "conditional-pointwise-mutual-information"): {"tau": 0.0656, "weight": 3.599},
}
"""What a measure needs to be told to be the peer's, by whether the first attempt stands apart, and name."""

# -- side by side ---------------------------------------------------------------------------------------------------------

Map = Callable[[Floats], Floats]
AS_THEIRS: dict[str, dict[str, tuple[Map, str]]] = {
    "lm-polygraph": {
        "sequence-probability": (lambda x: -np.log(x), "theirs is −log of it"),
        "perplexity": (np.log, "theirs is its logarithm"),
        "renyi-divergence": (lambda x: -x - 2 * np.log(TOP), "theirs is D − 2 log k, which grows with certainty"),
        "fisher-rao": (lambda x: x, "the same number; theirs is called uncertainty, though it grows with certainty"),
        "claim-conditioned-probability": (np.negative, "theirs is its negative"),
        "semantic-density": (np.negative, "theirs is its negative"),
        "conditional-pointwise-mutual-information": (lambda x: x, "the same number, given their τ and λ"),
        "lexical-similarity": (np.negative, "theirs is its negative; by default on word stems, here on words"),
    },
    "uqlm": {},
}
"""What turns our value into the peer's where it is not the same number, and why."""


def theirs(peer: str, path: Path) -> dict[str, Any] | str:
    """What the peer found; a sentence where it is not installed."""
    python = PEERS / peer / "bin" / "python"
    if not python.exists():
        return f"{peer} is not installed: `make peers` makes its environment"
    script = Path(__file__).parent / "peers" / f"{peer.replace('-', '_')}_run.py"
    env = {**os.environ, **ONE_THREAD, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run([str(python), str(script), str(path)], stdout=subprocess.PIPE, text=True, check=True, env=env)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def beside(peer: str, recorded: Sequence[dict[str, Any]], path: Path) -> dict[str, Any]:
    """One peer: the largest difference of each estimator after the stated map, and both times."""
    found = theirs(peer, path)
    if isinstance(found, str):
        return {"skipped": found}
    rules: dict[str, Rule] = {"": two_way, "number-of-semantic-sets": tied} if peer == "lm-polygraph" else {"": either}
    values, seconds = ours(recorded, list(found["values"]), peer == "lm-polygraph", rules)
    gaps, notes = {}, {}
    for name, row in found["values"].items():
        to_theirs, notes[name] = AS_THEIRS[peer].get(name, (lambda x: x, "the same number"))
        gaps[name] = float(np.max(np.abs(to_theirs(np.array(values[name])) - np.array(row))))
    total = sum(found["seconds"].values())
    return {
        "estimators": len(gaps), "same": sum(gap <= SAME for gap in gaps.values()), "largest_difference": gaps, "notes": notes,
        "seconds": round(seconds, 3), "their_seconds": round(total, 3), "ratio": round(total / seconds, 1),
        "their_seconds_each": {name: round(s, 3) for name, s in found["seconds"].items()},
    }  # fmt: skip


ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def run() -> dict[str, Any]:
    """Both peers. Skipped, with a sentence, where neither is installed."""
    if not any((PEERS / peer / "bin" / "python").exists() for peer in AS_THEIRS):
        return {"skipped": f"no peer is installed under {PEERS.name}/: `make peers` makes their environments"}
    if os.environ.get("OMP_NUM_THREADS") != "1":  # BLAS reads it at import: measure in a process that starts with it
        code = "import json; from bench.estimators import run; print(json.dumps(run()))"
        env = {**os.environ, **ONE_THREAD}
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True, env=env)
        again: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return again
    path = recording()
    recorded = [read(question) for question in json.loads(path.read_text())]
    found = {peer: beside(peer, recorded, path) for peer in AS_THEIRS}
    there = [side for side in found.values() if "skipped" not in side]
    ratio = sum(side["their_seconds"] for side in there) / sum(side["seconds"] for side in there)
    return {"questions": len(recorded), "attempts_each": 1 + SAMPLES, "ratio": round(ratio, 1), **found}


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
