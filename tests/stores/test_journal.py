"""The journal against real kills, a real full disk and other runs."""

import asyncio
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nosce.core.errors import JournalError
from nosce.stores.journal import FILE, Journal

RUN = {"model": "socrates", "strategy": "think", "seed": 1}

WORKER = """
import asyncio, sys
from pathlib import Path
from nosce.stores.journal import Journal

async def main():
    with Journal.open(Path(sys.argv[1]), {"run": 1}, resume=True) as journal:
        print("flight", *journal.in_flight(), flush=True)
        done = journal.done()
        for problem in (str(n) for n in range(int(sys.argv[2]))):
            if problem in done:
                continue
            for draw in range(3):
                key = f"{problem}.{draw}"
                if journal.response(key) is None:
                    journal.started(key)
                    await journal.durable()
                    print("paid", key, flush=True)
                    journal.responded(key, "answer " * 40)
                    await journal.durable()
                    print("kept", key, flush=True)
            journal.result(problem, "{}", "[]" * 500)
            if int(problem) % 3 == 0:
                await journal.durable()
                print("result", problem, flush=True)
asyncio.run(main())
"""


def test_what_was_handed_in_is_there_before_and_after_a_restart(tmp_path: Path) -> None:
    async def run() -> None:
        with Journal.open(tmp_path / "run", RUN, resume=False) as journal:
            journal.started("a", "think")
            journal.responded("a", "x=1", cost="{}")
            assert journal.response("a") == "x=1"
            await journal.durable()
            assert journal.response("a") == "x=1"
            journal.started("b")
            journal.result("p2", "{2}", "t2")
            journal.result("p1", "{1}", "t1")
            assert journal.done() == {"p1", "p2"}

    asyncio.run(run())
    with Journal.open(tmp_path / "run", RUN, resume=True) as journal:
        assert journal.response("a") == "x=1"
        assert journal.response("b") is None
        assert journal.in_flight() == ["b"]
        assert list(journal.results()) == [("p2", "{2}", "t2"), ("p1", "{1}", "t1")]


def test_the_first_response_and_the_first_result_stand(tmp_path: Path) -> None:
    with Journal.open(tmp_path, RUN, resume=False) as journal:
        for text in ("first", "second"):
            journal.responded("key", text)
            journal.result("p", text, "")
            journal.done()
        assert journal.response("key") == "first"
        assert list(journal.results()) == [("p", "first", "")]


def test_half_a_surrogate_pair_in_json_is_kept_as_its_escape(tmp_path: Path) -> None:
    with Journal.open(tmp_path, RUN, resume=False) as journal:
        journal.responded("key", '"é \ud83d"')
        journal.result("p", '"\ud83d"', "")
        journal.done()
        assert json.loads(journal.response("key") or "") == "é \ud83d"


def test_results_come_in_pages_without_loss(tmp_path: Path) -> None:
    with Journal.open(tmp_path, RUN, resume=False) as journal:
        for n in range(1000):
            journal.result(str(n), "a", "t")
        assert [row[0] for row in journal.results()] == [str(n) for n in range(1000)]


def test_another_run_is_refused_and_the_differing_field_named(tmp_path: Path) -> None:
    with Journal.open(tmp_path, RUN, resume=False) as journal:
        journal.started("a")
    with pytest.raises(JournalError, match="holds a run already"):
        Journal.open(tmp_path, RUN, resume=False)
    with pytest.raises(JournalError, match="seed was 1 and is 2 now"):
        Journal.open(tmp_path, {**RUN, "seed": 2}, resume=True)
    with pytest.raises(JournalError, match='budget was null and is "tokens=9" now'):
        Journal.open(tmp_path, {**RUN, "budget": "tokens=9"}, resume=True)
    Journal.open(tmp_path, dict(reversed(RUN.items())), resume=True).close()


def test_a_run_that_ended_before_it_asked_anything_is_in_nobody_s_way(tmp_path: Path) -> None:
    Journal.open(tmp_path, RUN, resume=False).close()
    with Journal.open(tmp_path, {**RUN, "seed": 2}, resume=False) as journal:
        journal.result("p", "{}", "")
    with pytest.raises(JournalError, match="seed was 2 and is 1 now"):
        Journal.open(tmp_path, RUN, resume=True)


def test_results_are_found_by_the_beginning_of_their_id(tmp_path: Path) -> None:
    with Journal.open(tmp_path, RUN, resume=False) as journal:
        for name in ("a/2", "a/1", "ab", "b/1", "a"):
            journal.result(name, name.upper(), "")
        assert journal.under("a/") == {"a/2": "A/2", "a/1": "A/1"}


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    with Journal.open(tmp_path, RUN, resume=False), pytest.raises(JournalError, match="another process"):
        Journal.open(tmp_path, RUN, resume=True)


def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"my diary, not yours" * 100)
    with pytest.raises(JournalError, match="no journal of a run"):
        Journal.open(tmp_path, RUN, resume=True)
    assert (tmp_path / FILE).read_bytes() == b"my diary, not yours" * 100


def test_another_program_s_database_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as other:
        other.execute("CREATE TABLE birds (name)")
    with pytest.raises(JournalError, match="no journal of a run"):
        Journal.open(tmp_path, RUN, resume=True)


def test_a_folder_that_cannot_be_made_is_a_journal_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be written"):
        Journal.open(tmp_path / "file" / "run", RUN, resume=False)


def test_a_closed_journal_takes_nothing_more(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, RUN, resume=False)
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        journal.started("late")


def _contents(folder: Path) -> tuple[dict[str, str | None], list[str]]:
    with sqlite3.connect(folder / FILE) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        calls = dict(database.execute("SELECT key, response FROM calls").fetchall())
        return calls, [row[0] for row in database.execute("SELECT problem_id FROM results")]


def test_killed_at_any_moment_nothing_kept_is_lost_and_nothing_kept_is_paid_again(tmp_path: Path) -> None:
    rng, folder, problems = random.Random(7), tmp_path / "run", 150
    kept: set[str] = set()
    on_disk: set[str] = set()
    for attempt in range(40):
        child = subprocess.Popen([sys.executable, "-c", WORKER, str(folder), str(problems)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        if attempt < 12:
            child.stdout.readline()
            time.sleep(rng.random() * 0.12)
            child.kill()
        whole, _, _ = child.stdout.read().rpartition("\n")  # a kill may cut the last line
        said = [line.split() for line in whole.splitlines()]
        child.wait()
        paid = {words[1] for words in said if words[0] == "paid"}
        assert not paid & on_disk, "a response that was on disk was paid for again"
        kept |= {words[1] for words in said if words[0] == "kept"}
        calls, results = _contents(folder)
        assert all(calls[key] for key in kept)
        assert {words[1] for words in said if words[0] == "result"} <= set(results)
        assert len(results) == len(set(results))
        on_disk = {key for key, response in calls.items() if response is not None}
        assert len(calls) - len(on_disk) <= 1
        if child.returncode == 0:
            break
    assert sorted(map(int, results)) == list(range(problems))


FILLER = """
import asyncio, sys
from pathlib import Path
from nosce.core.errors import JournalError
from nosce.stores.journal import Journal

async def main():
    journal = Journal.open(Path(sys.argv[1]), {"run": 1}, resume=False)
    try:
        for n in range(100_000):
            journal.started(f"k{n}")
            journal.responded(f"k{n}", "x" * 1000)
            await journal.durable()
            print(n)
    except JournalError as error:
        print("error:", error)
    try:
        journal.close()
    except JournalError as error:
        print("close:", error)
asyncio.run(main())
"""


def _small_disk(folder: Path) -> list[str]:
    mount = f'mount -t tmpfs -o size=600k tmpfs {folder} && exec "$@"'
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    if shutil.which("unshare") is None or subprocess.run([*_small_disk(tmp_path), "true"], check=False).returncode:
        pytest.skip("no small file system can be mounted here")
    keep = tmp_path.parent / f"{tmp_path.name}-kept"
    script = f"'{sys.executable}' -c \"$0\" '{tmp_path}' && cp -r '{tmp_path}' '{keep}'"
    done = subprocess.run([*_small_disk(tmp_path), "sh", "-c", script, FILLER], capture_output=True, text=True, check=True)
    *numbers, error, close = done.stdout.splitlines()
    assert error.startswith("error: ")
    assert "the disk is full" in error
    assert close.startswith("close: ")
    calls, _ = _contents(keep)
    assert len(numbers) > 10
    assert all(calls[f"k{number}"] == "x" * 1000 for number in numbers)


def test_a_file_that_may_not_grow_is_a_journal_error(tmp_path: Path) -> None:
    """The same fault where no file system can be mounted: the process may not write files beyond 300 kB."""
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
    command = [sys.executable, "-c", limit + FILLER, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *numbers, error, _ = done.stdout.splitlines()
    assert error.startswith("error: ")
    assert "journal" in error
    calls, _ = _contents(tmp_path)
    assert len(numbers) > 10
    assert all(calls[f"k{number}"] == "x" * 1000 for number in numbers)


def test_responses_of_a_large_run_take_seconds_and_little_memory(tmp_path: Path) -> None:
    script = """
import asyncio, resource, sys, time
from pathlib import Path
from nosce.stores.journal import Journal
async def main():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    with Journal.open(Path(sys.argv[1]), {}, resume=False) as journal:
        for n in range(40_000):
            journal.started(str(n)); journal.responded(str(n), "x" * 300)
            if n % 64 == 0: await journal.durable()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print([time.process_time() - start, (after - before) / 1024])
asyncio.run(main())
"""
    out = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    seconds, megabytes = json.loads(out.stdout)
    assert seconds < 8
    assert megabytes < 40
