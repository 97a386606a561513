"""`nosce serve lessons`: list, approve, reject, forget; and labels of an auditor from a file."""

import json
from collections.abc import Callable
from pathlib import Path

from nosce.serve.lessons import Lessons
from nosce.serve.store import Store

Command = Callable[..., tuple[int, str, str]]


def test_the_life_of_a_lesson(here: Path, nosce: Command) -> None:
    store = Store(here / "nosce.db")
    for trace, answer in (("t", "4"), ("u", "5")):
        store.put("INSERT INTO audit(trace_id, key_id, at, question, answer) VALUES (?,'local',0,'2+2',?)", trace, answer)
        Lessons(store).draft("local", trace, "f", "2+2", answer)
    store.flush()
    exported = [json.loads(line) for line in nosce("serve", "audit", "export")[1].splitlines()]
    assert [row["right_answer"] for row in exported] == [None, None]
    labelled = [{**row, "score": float(row["answer"] == "4")} for row in exported]
    (here / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in labelled))
    assert nosce("serve", "audit", "label", "labels.jsonl")[1] == "2 labels\n"
    listed = json.loads(nosce("serve", "lessons", "list", "--json")[1])
    assert [(one["text"], one["state"], one["by"]) for one in listed] == [("5", "rejected", "cli"), ("4", "approved", "cli")]
    wrong, right = (one["id"] for one in listed)
    assert nosce("serve", "lessons", "reject", str(right))[:2] == (0, f"lesson {right}: rejected\n")
    assert nosce("serve", "lessons", "list", "--state", "approved")[1] == "no lessons\n"
    assert nosce("serve", "lessons", "approve", str(right))[1] == f"lesson {right}: approved\n"
    assert "2+2" in nosce("serve", "lessons", "list", "--key", "local")[1]
    assert nosce("serve", "lessons", "forget", str(wrong))[1] == "1 lessons forgotten\n"
    assert nosce("serve", "lessons", "forget", "--key", "local")[1] == "1 lessons forgotten\n"


def test_what_a_command_approves_is_kept_as_long_as_the_server_keeps_lessons(here: Path, nosce: Command) -> None:
    """A server's own `keep_days` holds for decisions made without its settings; 90 days where no server ran yet."""
    from nosce.serve.config import configure
    from nosce.serve.service import Service

    def approved() -> float:
        """Days between the approval of a fresh draft's lesson by the command and its end."""
        store = Store(here / "nosce.db")
        Lessons(store).draft("local", "t", "f", "2+2", "4")
        store.flush()
        Lessons(store).volunteered("t", "local")
        (lesson,) = Lessons(store).lessons("local")
        assert nosce("serve", "lessons", "approve", str(lesson.id))[0] == 0
        (lesson,) = Lessons(store).lessons("local")
        Lessons(store).forget(lesson.id)
        store.close()
        assert lesson.expires is not None
        assert lesson.decided is not None
        return (lesson.expires - lesson.decided) / 86_400

    assert abs(approved() - 90) < 1e-6
    memory = {"on": True, "keep_days": 7}
    config = configure(None, (), True, database=here / "nosce.db", trace_text=True, memory=memory)
    Service.of(config).store.close()
    assert abs(approved() - 7) < 1e-6


def test_what_cannot_be_done_is_said(here: Path, nosce: Command) -> None:
    for arguments, said in (
        (("approve", "9"), "no lesson 9"), (("forget",), "say what to forget"), (("forget", "9"), "no lesson 9"),
        (("list", "--key", "zoe"), "no key is called"), (("list", "--state", "good"), "expected proposed"),
    ):  # fmt: skip
        code, _, error = nosce("serve", "lessons", *arguments)
        assert (code, said in error) == (2, True), error
