"""Comparisons and proofs killed with SIGKILL at random points end as if they had never been stopped, and pay for nothing twice."""

import asyncio
import hashlib
import json
import random
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from bench.resume import Paid, calls_of, finish, killed

from nosce.core.errors import JournalError
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.core.streams import fingerprint
from nosce.evidence.arms import Bench
from nosce.evidence.compare import comparable, compare
from nosce.evidence.ledger import append
from nosce.evidence.proofs import Proofs, identity
from nosce.mind.sampler import parameter_key
from nosce.models.base import Capabilities, Request, Sample
from nosce.stores.journal import FILE, Journal

PROBLEMS = tuple(Problem(f"p{i}", f"question {i}", reference="1") for i in range(24))
COMPARED = ("think", "adaptive-consistency", "dsc")
PROVED = ("re-reading", "faithful-uncertainty", "llm-debate-overconfidence", "cogeval", "behavior-handbook")


class PaidByDraw(Paid):
    """Logs the name that the journal gives each draw, and answers each draw by itself."""

    async def sample(self, request: Request) -> list[Sample]:
        """One of three answers to each key, logged once they are given."""
        await asyncio.sleep(0.002)
        names = [fingerprint(self.version, request.prompt.key, key, parameter_key(request)) for key in request.keys]
        self.log.write("".join(f"{name}\n" for name in names).encode())
        digits = [int(hashlib.sha256(name.encode()).hexdigest(), 16) % 3 for name in names]
        return [
            Sample(f"1. so\nAnswer: {d}\nConfidence: {60 + d}%", prompt_tokens=20, completion_tokens=5 + d) for d in digits
        ]


def compared(folder: Path) -> None:
    """A comparison over two seeds; its table is left in the folder."""
    bench = Bench(PROBLEMS, {"main": PaidByDraw(calls_of(folder))}, (0, 1), PROBLEMS)
    found = asyncio.run(compare(bench, comparable(COMPARED), out=folder, resume=True)).data()
    found.pop("in_flight_when_resumed")
    (folder / "found.json").write_text(json.dumps(found))


def proved(folder: Path) -> None:
    """Five claims of five kinds; their records go to a ledger in the folder."""
    roster = {"main": PaidByDraw(calls_of(folder))}
    with Journal.open(folder, identity(roster, PROBLEMS, PROBLEMS), resume=True) as journal:
        proofs = Proofs(roster, PROBLEMS, PROBLEMS, journal)
        for system in map(registry.find, PROVED):
            known = proofs.known(system) is not None
            append(asyncio.run(proofs.prove(system)), folder / "ledger", once=known)


def found_by_comparing(folder: Path) -> Any:
    return json.loads((folder / "found.json").read_text())


def found_by_proving(folder: Path) -> Any:
    """Every line of the ledger, without what only a clock decides."""
    lines = [line for path in sorted((folder / "ledger").iterdir()) for line in path.read_text().splitlines()]
    return [{**json.loads(line), "seconds": 0} for line in lines]


def on_record(folder: Path) -> set[str]:
    if not (folder / FILE).exists():
        return set()
    with sqlite3.connect(folder / FILE) as journal:
        tables = journal.execute("SELECT 1 FROM sqlite_master WHERE name = 'calls'").fetchone()
        return {name for (name,) in journal.execute("SELECT key FROM calls WHERE response IS NOT NULL")} if tables else set()


def lines_of(folder: Path) -> list[str]:
    log = calls_of(folder)
    return log.read_text().split() if log.exists() else []


@pytest.mark.parametrize(("work", "found", "longest"), [(compared, found_by_comparing, 0.2), (proved, found_by_proving, 0.3)])
def test_killed_again_and_again_it_ends_as_if_never_stopped(
    tmp_path: Path, work: Callable[[Path], None], found: Callable[[Path], Any], longest: float
) -> None:
    work(tmp_path / "straight")
    folder, rng, hits, paid_again = tmp_path / "killed", random.Random(5), 0, 0
    folder.mkdir()
    for _ in range(6):
        kept, before = on_record(folder), len(lines_of(folder))
        hits += killed(folder, rng.uniform(0, longest), work)
        paid_again += len(kept & set(lines_of(folder)[before:]))
    kept, before = on_record(folder), len(lines_of(folder))
    finish(folder, work)
    assert hits >= 1
    assert paid_again + len(kept & set(lines_of(folder)[before:])) == 0
    assert found(folder) == found(tmp_path / "straight")
    assert set(lines_of(folder)) == set(lines_of(tmp_path / "straight"))


@pytest.fixture(name="done", scope="module")
def _done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished comparison."""
    folder = tmp_path_factory.mktemp("compared") / "run"
    compared(folder)
    return folder


def again(done: Path, place: Path, names: Sequence[str] = COMPARED, resume: bool = True, **changed: Any) -> Any:
    """The comparison once more in a copy of its folder: what it found, and the draws that were paid for."""
    folder = Path(shutil.copytree(done, place / "run"))
    words: dict[str, Any] = {"problems": PROBLEMS, "seeds": (0, 1), "labelled": PROBLEMS, **changed}
    bench = Bench(roster={"main": PaidByDraw(calls_of(folder))}, **words)
    found = asyncio.run(compare(bench, comparable(names), out=folder, resume=resume)).data()
    found.pop("in_flight_when_resumed")
    return json.loads(json.dumps(found)), lines_of(folder)


def test_a_finished_comparison_is_read_back_without_a_draw(done: Path, tmp_path: Path) -> None:
    assert again(done, tmp_path) == (found_by_comparing(done), [])


def test_more_systems_may_join_and_only_they_are_paid_for(done: Path, tmp_path: Path) -> None:
    found, paid = again(done, tmp_path, [*COMPARED, "re-reading"])
    assert {row["slug"] for row in found["rows"]} == {*COMPARED, "re-reading"}
    assert paid
    assert not set(paid) & set(lines_of(done))


def test_a_mended_reference_changes_the_grades_and_pays_for_nothing(done: Path, tmp_path: Path) -> None:
    found, paid = again(done, tmp_path, problems=[Problem(p.id, p.text, reference="2") for p in PROBLEMS])
    assert found["rows"] != found_by_comparing(done)["rows"]
    assert paid == []


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"seeds": (0,)}, "holds another run: seeds was"),
        ({"problems": PROBLEMS[1:]}, "holds another run: problems was"),
        ({"labelled": ()}, "holds another run: labelled was"),
        ({"temperature": 0.1}, "holds another run: temperature was"),
        ({"resume": False}, "holds a run already; resume it"),
    ],
)
def test_another_comparison_is_not_gone_on_with(done: Path, tmp_path: Path, changed: dict[str, Any], named: str) -> None:
    with pytest.raises(JournalError, match=named):
        again(done, tmp_path, **changed)


def test_claims_are_not_gone_on_with_on_other_models_or_questions(tmp_path: Path) -> None:
    class Other(PaidByDraw):
        version = "paid-2"

    ours, theirs = PaidByDraw(tmp_path / "a"), Other(tmp_path / "b")
    with Journal.open(tmp_path / "run", identity({"main": ours}, PROBLEMS, ()), resume=False) as journal:
        journal.started("draw")
    for roster, problems, named in (({"main": theirs}, PROBLEMS, "proved on"), ({"main": ours}, PROBLEMS[1:], "problems")):
        with pytest.raises(JournalError, match=f"holds another run: {named} was"):
            Journal.open(tmp_path / "run", identity(roster, problems, ()), resume=True)


def test_a_claim_about_questions_that_are_not_there_is_not_proved() -> None:
    class Silent(PaidByDraw):
        capabilities = Capabilities(n=True, logprobs=True)

        async def sample(self, request: Request) -> list[Sample]:
            raise AssertionError("asked")

    record = asyncio.run(Proofs({"main": Silent(Path("/dev/null"))}, PROBLEMS).prove(registry.find("soft-sc")))
    assert record.outcome == "unclear"
    assert "countdown, arithmetic" in record.reason
