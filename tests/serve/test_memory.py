"""A running server's memory: off unless switched on; from an audited answer to the next request of the same key."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tests.serve.live import proxy
from tests.serve.test_feedback import send
from tests.serve.test_passing import post
from tests.servers.stub import Call, completion, serving

from nosce.core.errors import InputError
from nosce.serve.config import Limits, configure
from nosce.serve.keys import Keys
from nosce.serve.store import Store

ON: dict[str, Any] = {"memory": {"on": True}, "trace_text": True, "audit": 1.0}


def knows(call: Call) -> Any:
    """A model that is wrong unless a note tells it."""
    return completion("42" if "42 (found right before)" in json.dumps(call.body["messages"]) else "41")


def ask(url: str, key: str, system: str = "", question: str = "6*7") -> tuple[str, dict[str, Any]]:
    """(what it says, the metacognition)"""
    turns = [{"role": "system", "content": system}] if system else []
    body = {"model": "nosce/auto", "messages": [*turns, {"role": "user", "content": question}],
            "metacognition": {"options": {"most": 1}}}  # fmt: skip
    made = json.loads(post(f"{url}/chat/completions", json.dumps(body).encode(), authorization=f"Bearer {key}")[1])
    return made["choices"][0]["message"]["content"], made["metacognition"]


def test_an_auditors_correction_is_remembered_for_that_key_and_frame_alone(tmp_path: Path) -> None:
    keys = Keys(Store(tmp_path / "nosce.db"), Limits())
    alice, bob, root = keys.make("alice"), keys.make("bob"), keys.make("root", role="admin")
    admin = {"authorization": f"Bearer {root}"}
    with serving(knows) as up, proxy(tmp_path, f"small=openai:m@{up.url}", **ON) as url:
        said, about = ask(url, alice)
        assert (said, "lessons" in about) == ("41", False)
        send(url, "/feedback", {"trace_id": about["trace_id"], "answer": "66"}, authorization=f"Bearer {alice}")
        assert ask(url, alice)[0] == "41"  # what an asker writes is not remembered
        label = {"score": 0, "right_answer": "42"}
        assert send(url, f"/audit/{about['trace_id']}", label, **admin)[0] == 200
        said, about = ask(url, alice)
        assert (said, about["outcome"], len(about["lessons"])) == ("42", "answered", 1)
        assert ask(url, bob)[0] == "41"
        assert ask(url, alice, system="You are a pirate.")[0] == "41"
        assert ask(url, alice, question="6*8")[0] == "41"
        number = about["lessons"][0]
        assert send(url, f"/lessons/{number}", {"state": "rejected"}, authorization=f"Bearer {alice}")[0] == 403
        assert send(url, f"/lessons/{number}", {"state": "rejected"}, **admin)[0] == 200
        assert send(url, "/lessons/999", {"state": "rejected"}, **admin)[0] == 404
        assert ask(url, alice)[0] == "41"


def test_memory_is_off_unless_switched_on(tmp_path: Path) -> None:
    with serving(knows) as up, proxy(tmp_path, f"small=openai:m@{up.url}", trace_text=True, audit=1.0) as url:
        about = ask(url, "-")[1]
        send(url, f"/audit/{about['trace_id']}", {"score": 0, "right_answer": "42"})
        assert ask(url, "-")[0] == "41"
    with sqlite3.connect(tmp_path / "nosce.db") as base:
        assert base.execute("SELECT COUNT(*) FROM lessons").fetchone() == (0,)


def test_memory_without_text_is_refused() -> None:
    with pytest.raises(InputError, match="switch on trace_text"):
        configure(None, ("small=openai:m@http://127.0.0.1:9/v1",), memory={"on": True})
