"""Who gets into the dashboard, what they see there, and what a page may do."""

import json
import sqlite3
import time
from pathlib import Path

import pytest
from tests.serve.live import proxy
from tests.serve.surfing import Surfer
from tests.serve.test_passing import post
from tests.serve.test_wrap import sure
from tests.servers.stub import completion, serving

from nosce.core.trace import Trace
from nosce.serve.config import Limits
from nosce.serve.dashboard.pages import ROOMS
from nosce.serve.keys import Keys
from nosce.serve.store import Store

PAGES = [path for _, entries in ROOMS for _, path, _, _ in entries]
ASK = json.dumps({"model": "nosce/think", "messages": [{"role": "user", "content": "2+2"}]}).encode()
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


def test_no_page_without_a_key_when_keys_are_set(tmp_path: Path) -> None:
    key = Keys(Store(tmp_path / "nosce.db"), Limits()).make("alice", role="admin")
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        stranger = Surfer(url[:-3])
        for path in [*PAGES, "/ui/trace/x", "/ui/audit/export", "/ui/nothing"]:
            seen = stranger.get(path)
            assert (seen.status, seen.headers["location"].partition("?")[0]) == (303, "/ui/login")
            assert stranger.get(path, x_nosce="live").status == 401
        for path in ["/ui/logout", "/ui/playground", "/ui/audit/x", "/ui/memory/1", "/ui/trace/x/feedback", "/ui/trace/x/forget"]:
            assert stranger.send("POST", path, "csrf=x").status == 401
        assert stranger.log_in("nosce-guess").status == 401
        assert stranger.get("/").status == 303
        entered = stranger.log_in(key)
        assert (entered.status, entered.headers["location"]) == (303, "/")
        assert [stranger.get(path).status for path in PAGES] == [200] * len(PAGES)
        assert stranger.submit("/ui/logout", on="/").status == 303
        assert stranger.get("/").status == 303


def test_the_session_cookie_is_out_of_reach_hashed_at_rest_and_dies(tmp_path: Path) -> None:
    store = Store(tmp_path / "nosce.db")
    keys = Keys(store, Limits())
    key = keys.make("alice")
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        alice = Surfer(url[:-3])
        alice.log_in(key)
        made = next(line for line in alice.set if line.startswith("nosce-session"))
        token = made.partition("=")[2].partition(";")[0]
        assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().lower() for part in made.split(";")}
        assert "Max-Age=43200" in made
        with sqlite3.connect(tmp_path / "nosce.db") as base:
            assert token not in "\n".join(base.iterdump())
        assert alice.get("/").status == 200
        store.now([("UPDATE sessions SET expires=?", (time.time() - 1,))])
        assert alice.get("/").status == 303
        alice.log_in(key)
        assert alice.get("/").status == 200
        keys.revoke("alice")
        time.sleep(1.2)
        assert alice.get("/").status == 303


def test_guessing_at_the_login_is_slowed(tmp_path: Path) -> None:
    Keys(Store(tmp_path / "nosce.db"), Limits()).make("alice")
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        guesser, began = Surfer(url[:-3]), time.monotonic()
        assert [guesser.log_in(f"nosce-{i}").status for i in range(4)] == [401] * 4
        assert time.monotonic() - began > 0.05 + 0.1 + 0.2 + 0.4


def test_a_key_sees_its_own_and_an_administrator_all(tmp_path: Path) -> None:
    keys = Keys(Store(tmp_path / "nosce.db"), Limits())
    alice, bob, boss = keys.make("alice"), keys.make("bob"), keys.make("boss", role="admin")
    with serving(lambda call: completion("4", choice=sure(0.9))) as up, \
         proxy(tmp_path, f"small=openai:m@{up.url}", trace_text=True, audit=1.0) as url:  # fmt: skip
        trace = json.loads(post(f"{url}/chat/completions", ASK, authorization=f"Bearer {alice}")[1])["metacognition"]["trace_id"]
        seen = {}
        for name, key in (("alice", alice), ("bob", bob), ("boss", boss)):
            seen[name] = Surfer(url[:-3])
            seen[name].log_in(key)
        listed = {name: f"/ui/trace/{trace}" in surfer.get("/").text for name, surfer in seen.items()}
        opened = {name: surfer.get(f"/ui/trace/{trace}").status for name, surfer in seen.items()}
        assert listed == {"alice": True, "bob": False, "boss": True}
        assert opened == {"alice": 200, "bob": 404, "boss": 200}
        files = {name: surfer.get(f"/ui/trace/{trace}/json") for name, surfer in seen.items()}
        assert {name: file.status for name, file in files.items()} == opened
        assert Trace.from_json(files["alice"].text).id == trace
        assert [surfer.get(f"/ui/trace/{trace}/state").status for surfer in seen.values()] == [200, 404, 200]
        forgets = {name: seen[name].submit(f"/ui/trace/{trace}/forget", on="/").status for name in ("bob", "boss")}
        assert forgets == {"bob": 404, "boss": 404}  # what is kept of a key's requests is that key's to delete
        assert seen["bob"].submit(f"/ui/trace/{trace}/feedback", on="/", correct="no").status == 404
        assert seen["alice"].submit(f"/ui/trace/{trace}/feedback", on=f"/ui/trace/{trace}", correct="yes").status == 303
        assert seen["alice"].submit(f"/ui/trace/{trace}/feedback", on="/", correct="no").status == 409
        assert "they say" in seen["boss"].get("/").text
        assert seen["alice"].submit(f"/ui/trace/{trace}/forget", on="/").status == 303
        assert seen["boss"].get(f"/ui/trace/{trace}").status == 404


@pytest.mark.parametrize("token", ["", "csrf=", "csrf=" + "0" * 64, "csrf=%C3%A9"])
def test_a_form_without_its_token_changes_nothing(token: str, tmp_path: Path) -> None:
    with serving(lambda call: completion("4", choice=sure(0.9))) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        trace = json.loads(post(f"{url}/chat/completions", ASK)[1])["metacognition"]["trace_id"]
        here = Surfer(url[:-3])
        here.get("/")
        for path in (f"/ui/trace/{trace}/feedback", f"/ui/trace/{trace}/forget", "/ui/login"):
            assert here.send("POST", path, f"{token}&correct=no&key=x").status == 403
        other = Surfer(url[:-3])
        stolen = other.get(f"/ui/trace/{trace}").text.partition('name="csrf" value="')[2][:64]
        assert here.send("POST", f"/ui/trace/{trace}/feedback", f"csrf={stolen}&correct=no").status == 403  # another visit's
        with sqlite3.connect(tmp_path / "nosce.db") as base:
            assert base.execute("SELECT (SELECT COUNT(*) FROM feedback), (SELECT COUNT(*) FROM requests)").fetchone() == (0, 1)


def test_other_hosts_and_sites_get_no_page(tmp_path: Path) -> None:
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        surfer = Surfer(url[:-3])
        assert surfer.get("/", host="evil.example").status == 421
        assert surfer.get("/ui/static/style.css", host="evil.example:8710").status == 421
        assert surfer.send("POST", "/ui/login", "key=x", origin="https://evil.example").status == 403
        assert surfer.send("POST", "/ui/login", "key=x", sec_fetch_site="cross-site").status == 403


def test_every_answer_is_locked_down_and_nothing_is_inline(tmp_path: Path) -> None:
    with serving(lambda call: completion("4", choice=sure(0.9))) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        trace = json.loads(post(f"{url}/chat/completions", ASK)[1])["metacognition"]["trace_id"]
        surfer = Surfer(url[:-3])
        for path in [*PAGES, f"/ui/trace/{trace}", "/ui/trace/none", "/ui/nothing", "/ui/traffic/rows"]:
            seen = surfer.get(path)
            policy = seen.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'")
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert seen.headers["x-frame-options"] == "DENY"
            assert seen.headers["referrer-policy"] == "same-origin"
            assert seen.headers["cache-control"] == "no-store"
            for inline in ("style=", "<style", "onclick", "onerror=", "javascript:", "<script>", "http://", "https://"):
                assert inline not in seen.text.replace(f"{url[:-3]}", ""), (path, inline)
        assert surfer.get("/ui/static/style.css").headers["cache-control"].endswith("immutable")
        assert surfer.get("/ui/static/../door.py").status == 404
        assert surfer.get("/ui/login?next=//evil.example").status == 303  # nothing to log in to, and never elsewhere


def test_after_the_login_one_lands_on_a_page_of_ours(tmp_path: Path) -> None:
    key = Keys(Store(tmp_path / "nosce.db"), Limits()).make("alice")
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        for wanted, landed in [("/ui/tokens", "/ui/tokens"), ("//evil.example", "/"), ("https://evil.example", "/"),
                               ("/ui/\\evil.example", "/"), ("/ui/x\r\nset-cookie: a=b", "/"), ("/v1/models", "/")]:  # fmt: skip
            assert Surfer(url[:-3]).submit("/ui/login", key=key, next=wanted).headers["location"] == landed


def test_hostile_text_is_escaped_on_every_page(tmp_path: Path) -> None:
    body = json.dumps({"model": "nosce/think", "messages": [{"role": "user", "content": HOSTILE}]}).encode()
    with serving(lambda call: completion(HOSTILE, choice=sure(0.9))) as up, \
         proxy(tmp_path, f"small=openai:m@{up.url}", trace_text=True, audit=1.0) as url:  # fmt: skip
        trace = json.loads(post(f"{url}/chat/completions", body)[1])["metacognition"]["trace_id"]
        for path in [*PAGES, f"/ui/trace/{trace}"]:
            seen = Surfer(url[:-3]).get(path).text
            assert "<img" not in seen
            assert "<script>" not in seen
        assert "&lt;script&gt;" in Surfer(url[:-3]).get(f"/ui/trace/{trace}").text


def test_pages_say_that_no_text_is_kept(tmp_path: Path) -> None:
    with serving(lambda call: completion("the secret", choice=sure(0.9))) as up, \
         proxy(tmp_path, f"small=openai:m@{up.url}", audit=1.0) as url:  # fmt: skip
        trace = json.loads(post(f"{url}/chat/completions", ASK)[1])["metacognition"]["trace_id"]
        for path in (f"/ui/trace/{trace}", "/", "/ui/audit"):
            seen = Surfer(url[:-3]).get(path).text
            assert "--trace-text" in seen
            assert "the secret" not in seen


def test_the_inbox_is_for_administrators_and_takes_labels_skips_and_second_thoughts(tmp_path: Path) -> None:
    store = Store(tmp_path / "nosce.db")
    keys = Keys(store, Limits())
    alice, boss = Surfer(""), Surfer("")
    made = {"alice": keys.make("alice"), "boss": keys.make("boss", role="admin")}
    with serving(lambda call: completion("4", choice=sure(0.9))) as up, \
         proxy(tmp_path, f"small=openai:m@{up.url}", trace_text=True, audit=1.0) as url:  # fmt: skip
        alice.origin = boss.origin = url[:-3]
        alice.log_in(made["alice"])
        boss.log_in(made["boss"])
        answers = [post(f"{url}/chat/completions", ASK, authorization=f"Bearer {made['alice']}")[1] for _ in range(3)]
        traces = [json.loads(answer)["metacognition"]["trace_id"] for answer in answers]
        alice.get(f"/ui/trace/{traces[-1]}")  # waits until it is written down
        assert "administrator" in alice.get("/ui/audit").text
        assert alice.get("/ui/audit/export").status == 403
        for path, verdict in ((f"/ui/audit/{traces[0]}", "right"), ("/ui/drift/1/promote", ""), ("/ui/memory/1", "approve")):
            assert alice.submit(path, on="/", verdict=verdict).status == 403
        inbox = boss.get("/ui/audit").text
        assert "3 answers wait" in inbox
        assert "2+2" in inbox
        assert "90%" not in inbox  # how sure it was must not sway the judge
        assert [json.loads(line)["trace_id"] for line in boss.get("/ui/audit/export").text.splitlines()] == traces
        assert boss.submit(f"/ui/audit/{traces[0]}", on="/ui/audit", verdict="right").status == 303
        assert boss.submit(f"/ui/audit/{traces[1]}", on="/ui/audit", verdict="skip").status == 303
        assert boss.submit(f"/ui/audit/{traces[2]}", on="/ui/audit", verdict="maybe").status == 400
        assert boss.submit("/ui/audit/none", on="/ui/audit", verdict="right").status == 404
        assert boss.submit(f"/ui/audit/{traces[0]}", on="/ui/audit", verdict="wrong").status == 303  # a second thought
        rows = store.rows("SELECT state, score FROM audit ORDER BY at")
        assert [tuple(row) for row in rows] == [("labelled", 0.0), ("skipped", None), ("open", None)]
        assert boss.submit(f"/ui/audit/{traces[1]}", on="/ui/audit", verdict="again").status == 303
        assert len(boss.get("/ui/audit/export").text.splitlines()) == 2


def test_lessons_are_seen_by_their_key_and_decided_by_an_administrator(tmp_path: Path) -> None:
    store = Store(tmp_path / "nosce.db")
    keys = Keys(store, Limits())
    made = {name: keys.make(name, role=role) for name, role in (("alice", "user"), ("bob", "user"), ("boss", "admin"))}
    alice = store.rows("SELECT id FROM keys WHERE name='alice'")[0]["id"]
    sql = (
        "INSERT INTO lessons(key_id, at, trace_id, frame, asked, question, text, state, origin) "
        "VALUES (?,?,'t','f',?,?,?,'proposed','feedback')"
    )
    store.now([(sql, (alice, time.time(), text, text, HOSTILE)) for text in ("first", "second")])
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        seen = {name: Surfer(url[:-3]) for name in made}
        for name, surfer in seen.items():
            surfer.log_in(made[name])
        shown = {name: "second" in surfer.get("/ui/memory").text for name, surfer in seen.items()}
        assert shown == {"alice": True, "bob": False, "boss": True}
        assert "<img" not in seen["boss"].get("/ui/memory").text
        assert seen["alice"].submit("/ui/memory/1", on="/ui/memory", verdict="approve").status == 403
        assert seen["bob"].submit("/ui/memory/1", on="/", verdict="forget").status == 404
        assert seen["boss"].submit("/ui/memory/1", on="/ui/memory", verdict="approve").status == 303
        assert seen["boss"].submit("/ui/memory/2", on="/ui/memory", verdict="reject").status == 303
        assert [row["state"] for row in store.rows("SELECT state FROM lessons ORDER BY id")] == ["approved", "rejected"]
        assert seen["alice"].submit("/ui/memory/2", on="/ui/memory", verdict="forget").status == 303
        assert len(store.rows("SELECT 1 FROM lessons")) == 1


def test_the_playground_is_counted_and_limited_like_any_request(tmp_path: Path) -> None:
    store = Store(tmp_path / "nosce.db")
    key = Keys(store, Limits()).make("alice", requests=3)
    with serving(lambda call: completion("4", choice=sure(0.9))) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        alice = Surfer(url[:-3])
        alice.log_in(key)
        seen = alice.submit("/ui/playground", question="2+2", left="think", right="direct")
        assert seen.text.count("how it came to that") == 2
        assert len(up.calls) == 2
        token = seen.text.partition('name="csrf" value="')[2][:64]
        lines = alice.send("POST", "/ui/playground/ask", f"csrf={token}&question=2%2B2&strategy=think").text.splitlines()
        assert json.loads(lines[0])["status"] == "sampled"
        assert "90%" in json.loads(lines[-1])["html"]
        refused = alice.submit("/ui/playground", question="2+2", left="think", right="direct").text
        assert "more than 3 requests a minute" in refused
        assert "html" in alice.send("POST", "/ui/playground/ask", f"csrf={token}&question=x&strategy=nonsense").text
        assert alice.submit("/ui/playground", question=" ").status == 400
        assert alice.send("POST", "/ui/playground/ask", "question=2&strategy=think").status == 403
    rows = store.rows("SELECT path, strategy, state FROM requests ORDER BY strategy")
    assert {tuple(row) for row in rows} == {("/v1/chat/completions", s, "done") for s in ("think", "direct")}
    assert len(rows) == 3
