"""The dashboard for everybody: axe finds nothing on any page in either theme; the main journeys on a phone and by keyboard."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.report.test_browser import _browser  # noqa: F401  # a fixture
from tests.serve.live import proxy
from tests.serve.surfing import AUDITED
from tests.serve.test_dashboard_browser import QUESTIONS, ask, opened
from tests.serve.test_dashboard_door import PAGES
from tests.servers.stub import completion, serving

from nosce.serve.config import Limits, Memory
from nosce.serve.keys import Keys
from nosce.serve.store import Store

pytestmark = pytest.mark.browser
PHONE = 375


@pytest.fixture(scope="module", name="live")
def _live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Store]]:
    """A server with all that there is to see: answers, audits, lessons, thresholds, failures; its address, a trace, its store."""
    folder = tmp_path_factory.mktemp("live")
    given: dict[str, Any] = {"trace_text": True, "audit": 1.0, "memory": Memory(on=True), "risk": 0.3}
    with proxy(folder, demo=True, **given) as url:
        for question in QUESTIONS:
            ask(url, question)
        trace = ask(url, "product 7 8 12", "nosce/self-consistency")
        store = Store(folder / "nosce.db")
        kinds = ("failed", "cancelled", "interrupted", "started")
        fields = "trace_id, at, process, state, key_id, path, model, strategy"
        asked = f"INSERT INTO requests({fields}) VALUES (?,?,?,?,'local','/','m','auto')"
        learned = (
            "INSERT INTO lessons(key_id, at, trace_id, frame, asked, question, text, state, origin, trust) "
            "VALUES ('local', unixepoch(), ?, 'f', 'q', '6*7', '42', 'proposed', 'feedback', 0.4)"
        )
        threshold = json.dumps({"risk": 0.3, "least": 0.8, "promised": True, "reason": "", "coverage": 0.5})
        store.now([
            AUDITED,
            *((asked, (f"{kind}-1", time.time(), store.process, kind)) for kind in kinds),
            (learned, (trace,)),
            ("INSERT INTO policies(at, state, labels, data) VALUES (unixepoch(), 'shadow', 40, ?)", (threshold,)),
        ])  # fmt: skip
        yield url[:-3], trace, store


def faults(page: Any) -> list[tuple[str, str, list[str]]]:
    """What axe finds against WCAG 2.2 (A, AA) and good practice: rule, how grave, where."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python").Axe()
    found = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(v["id"], v["impact"], [node["html"][:160] for node in v["nodes"][:3]]) for v in found]


SHIFT = """() => new Promise(done => { let sum = 0;
  new PerformanceObserver(list => { for (const e of list.getEntries()) sum += e.value })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 50) })"""
"""How far things moved after they were first drawn: the browser's cumulative layout shift."""


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (PHONE, "light"), (PHONE, "dark")])
def test_axe_finds_nothing_on_any_page(browser: Any, live: tuple[str, str, Store], width: int, scheme: str) -> None:
    url, trace, _ = live
    page, _ = opened(browser, url, width, scheme)
    whole = [*PAGES, "/?show=failed", "/ui/memory?show=proposed", f"/ui/trace/{trace}", "/ui/trace/interrupted-1", "/ui/nothing"]
    brief = ["/", "/ui/confidence", f"/ui/trace/{trace}"]
    for path in whole if width > PHONE else brief:
        page.goto(url + path)
        assert page.evaluate(SHIFT) <= 0.01, path
        page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true })")
        assert faults(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_before_there_is_anything(browser: Any, tmp_path: Path, scheme: str) -> None:
    Keys(Store(tmp_path / "nosce.db"), Limits()).make("alice")
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url, \
         proxy(tmp_path / "empty", demo=True) as empty:  # fmt: skip
        page, _ = opened(browser, f"{url[:-3]}/ui/login", PHONE, scheme)
        assert faults(page) == []
        page.fill("#key", "nosce-wrong")
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=alert]")
        assert faults(page) == []
        for path in ("/", "/ui/tokens", "/ui/playground"):
            page.goto(empty[:-3] + path)
            assert faults(page) == [], path
        page.close()


def test_at_night_on_a_phone_what_failed_is_two_touches_away(browser: Any, live: tuple[str, str, Store]) -> None:
    page, said = opened(browser, live[0], PHONE, has_touch=True)
    signs = page.locator(".signs li").all()
    assert signs[0].locator(".asks").inner_text() == "Is it well?"
    assert all(sign.bounding_box()["y"] + sign.bounding_box()["height"] < 812 for sign in signs)  # without scrolling
    page.locator(".signs a").first.tap()
    page.wait_for_url("**/?show=failed")
    assert sorted(page.locator(".traffic .ended").all_inner_texts()) == ["failed", "interrupted"]
    page.locator(".traffic tbody a", has=page.locator("time")).first.tap()
    page.wait_for_url("**/ui/trace/**")
    assert page.locator("h1").inner_text() in ("Failed", "Interrupted")
    assert said == []
    page.close()


def test_a_trace_is_walked_by_arrows_and_its_link_copied(browser: Any, live: tuple[str, str, Store]) -> None:
    url, trace, _ = live
    page, said = opened(browser, url, PHONE)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.keyboard.press("/")
    page.keyboard.type(trace)  # a trace's whole name opens it
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/ui/trace/{trace}")
    held = "document.activeElement.textContent.trim().replace(/\\s+/g, ' ')"
    page.keyboard.press("ArrowDown")
    assert page.evaluate(held).startswith("sampled think")
    page.keyboard.press("ArrowRight")
    assert page.locator(".tree pre").first.is_visible()
    page.keyboard.press("ArrowLeft")
    assert not page.locator(".tree pre").first.is_visible()
    fold = page.locator(".fold > details")
    assert fold.evaluate("e => e.open") is False
    assert "more of think" in fold.locator("summary").first.inner_text()
    page.keyboard.press("End")
    assert page.evaluate(held).startswith("answered")
    page.click("text=Copy link")
    page.wait_for_selector("text=Copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"{url}/ui/trace/{trace}"
    assert said == []
    page.close()


def test_the_first_tab_skips_to_the_page_and_nothing_moves_for_who_wants_that(browser: Any, live: tuple[str, str, Store]) -> None:
    page, _ = opened(browser, live[0], reduced_motion="reduce")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.evaluate("getComputedStyle(document.querySelector('.live'), '::before').animationName") == "none"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    page.close()


def test_a_request_under_way_shows_its_end_without_being_asked(browser: Any, live: tuple[str, str, Store]) -> None:
    url, _, store = live
    page = browser.new_page(viewport={"width": PHONE, "height": 812})
    page.clock.install()
    page.goto(f"{url}/ui/trace/started-1")
    assert page.locator("h1").inner_text() == "Still thinking"
    store.now([("UPDATE requests SET state='cancelled', reason='the client went away' WHERE trace_id='started-1'", ())])
    page.clock.run_for(2100)
    page.locator("h1", has_text="Its client hung up").wait_for(timeout=8000)
    page.close()


def test_a_server_that_went_away_does_not_look_well(browser: Any, live: tuple[str, str, Store]) -> None:
    page = browser.new_page(viewport={"width": PHONE, "height": 812})
    page.clock.install()
    page.goto(live[0])
    before = page.locator("#now h1").inner_text()
    page.route("**/ui/traffic/rows*", lambda route: route.abort())
    for _ in range(2):
        page.clock.run_for(2100)
        page.locator(".live", has_text="no answer").wait_for()
    page.locator("#now h1", has_text="The server does not answer").wait_for(timeout=5000)
    assert page.title().startswith("Alarm")
    page.unroute("**/ui/traffic/rows*")
    page.clock.run_for(2100)
    page.locator("#now h1", has_text=before).wait_for(timeout=5000)
    assert page.locator(".stale").count() == 0
    page.close()
