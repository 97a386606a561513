"""The dashboard in a real browser, before the bundled model: every page, both themes, a phone, the keyboard, the playground."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.report.test_browser import CONTRAST, SMALLEST, _browser  # noqa: F401  # a fixture
from tests.serve.live import proxy
from tests.serve.surfing import AUDITED
from tests.serve.test_dashboard_door import HOSTILE, PAGES
from tests.serve.test_passing import post
from tests.serve.test_wrap import sure
from tests.servers.stub import completion, serving

from nosce.serve.config import Limits
from nosce.serve.keys import Keys
from nosce.serve.store import Store

pytestmark = pytest.mark.browser
QUESTIONS = ["product 12 34 5", "sort 52 11 83 47", "97-38+46*3", "max 4 19 7", "6-4+9", "What is the capital of France?"]


def ask(url: str, question: str, model: str = "nosce/auto") -> str:
    """Ask; the trace's name."""
    body = {"model": model, "messages": [{"role": "user", "content": question}]}
    made: dict[str, Any] = json.loads(post(f"{url}/chat/completions", json.dumps(body).encode())[1])
    return str(made["metacognition"]["trace_id"])


@pytest.fixture(scope="module", name="demo")
def _demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A demo server that was asked something, and has enough audited answers to draw; its address and one trace."""
    folder = tmp_path_factory.mktemp("demo")
    with proxy(folder, demo=True, trace_text=True, audit=1.0) as url:
        for question in QUESTIONS:
            ask(url, question)
        trace = ask(url, "product 7 8 12", "nosce/self-consistency")
        store = Store(folder / "nosce.db")
        store.now([AUDITED])
        yield url[:-3], trace


def opened(browser: Any, where: str, width: int = 1280, scheme: str = "light", **more: Any) -> tuple[Any, list[str]]:
    """The page, and everything the browser complained of or asked of anybody else."""
    page, said = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, **more), list[str]()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    origin = "/".join(where.split("/")[:3])
    page.on("request", lambda request: said.append(request.url) if not request.url.startswith(origin) else None)
    page.goto(where)
    return page, said


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "light")])
def test_no_page_complains_or_is_wider_than_the_screen(browser: Any, demo: tuple[str, str], width: int, scheme: str) -> None:
    url, trace = demo
    page, said = opened(browser, url, width, scheme)
    for path in [*PAGES, f"/ui/trace/{trace}"]:
        page.goto(url + path)
        assert said == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.locator("h1").count() == 1, path
        assert page.evaluate(SMALLEST) >= 11, path
        assert page.evaluate(CONTRAST) >= 4.5, path
        assert page.evaluate(UNNAMED) == [], path
    assert page.title().endswith("· Nosce")
    page.close()


UNNAMED = """() => [...document.querySelectorAll(
    'main button, main a, main input:not([type=hidden]), main select, main textarea, main svg[role=img]')]
  .filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length)).map(e => e.outerHTML)"""
"""Controls and charts without a name that a screen reader could say."""


def test_charts_are_drawn_where_there_are_labels(browser: Any, demo: tuple[str, str]) -> None:
    page, _ = opened(browser, f"{demo[0]}/ui/confidence", 390)
    plots = page.locator("svg.plot").all()
    assert len(plots) == 3
    for plot in plots:
        box = plot.bounding_box()
        assert box["width"] > 280
        assert box["height"] > 120
    assert page.locator(".dot.full").count() >= 3
    page.close()


def test_new_requests_appear_by_themselves_and_a_row_opens_by_keyboard(browser: Any, demo: tuple[str, str]) -> None:
    url, _ = demo
    page, said = opened(browser, url)
    another, _ = opened(browser, url, 390)
    before = page.locator("#rows tbody tr").count()
    trace = ask(f"{url}/v1", "max 3 41 7")
    page.wait_for_selector(f'a[href="/ui/trace/{trace}"]', timeout=10_000)
    another.wait_for_selector(f'a[href="/ui/trace/{trace}"]', timeout=10_000, state="attached")
    another.close()
    assert page.locator("#rows tbody tr").count() == before + 1
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.getAttribute('href')") == f"/ui/trace/{trace}"
    assert page.evaluate("getComputedStyle(document.activeElement, '::after').outlineStyle") == "solid"  # one sees where one is
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/ui/trace/{trace}")
    thought = page.locator(".tree pre").last
    assert not thought.is_visible()
    page.locator(".tree summary").first.click()
    assert "41" in thought.inner_text()
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/ui/confidence")
    page.keyboard.press("?")
    assert page.locator("dialog#keys").is_visible()
    assert said == []
    page.close()


def test_an_answer_is_judged_skipped_and_taken_back_by_keyboard_alone(browser: Any, demo: tuple[str, str]) -> None:
    page, said = opened(browser, f"{demo[0]}/ui/audit")
    first = page.locator(".turn.answer pre").inner_text()
    count = int(page.locator("h1").inner_text().split()[0])
    page.keyboard.press("y")
    page.locator("h1", has_text=re.compile(rf"^\s*{count - 1} ")).wait_for()
    assert page.locator(".done li").first.inner_text().startswith("right")
    page.keyboard.press("u")
    page.wait_for_selector("text=Labelled right before")
    assert page.locator(".turn.answer pre").inner_text() == first
    page.keyboard.press("n")
    page.locator(".done li:first-child", has_text=re.compile(r"^\s*wrong")).wait_for()
    page.keyboard.press("s")
    page.locator("h1", has_text=re.compile(rf"^\s*{count - 2} ")).wait_for()
    assert page.locator(".done li", has_text="skipped").count() == 1
    assert said == []
    page.close()


def test_the_playground_shows_both_answers_and_what_happens_on_the_way(browser: Any, demo: tuple[str, str]) -> None:
    page, said = opened(browser, f"{demo[0]}/ui/playground")
    page.fill("#question", "6-4+9")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("[data-side=left] .made")
    page.wait_for_selector("[data-side=right] .made")
    assert [page.locator(f"[data-side={side}] .answer").inner_text() for side in ("left", "right")] == ["11", "11"]
    assert "tokens" in page.locator("[data-side=right] dl").inner_text()
    page.locator("[data-side=right] a").click()
    page.wait_for_selector("text=How it came to that")
    assert said == []
    page.close()


def test_everything_works_without_a_script(browser: Any, demo: tuple[str, str]) -> None:
    page, said = opened(browser, f"{demo[0]}/ui/playground", java_script_enabled=False)
    page.fill("#question", "6-4+9")
    page.click("text=Ask both")
    assert page.locator(".side .made").count() == 2
    assert page.locator("[data-side=left] .answer").inner_text() == "11"
    assert said == []
    page.close()


def test_the_theme_is_kept(browser: Any, demo: tuple[str, str]) -> None:
    page, _ = opened(browser, demo[0])
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.click("[data-theme-toggle]")
    dark = page.evaluate(paper)
    page.goto(f"{demo[0]}/ui/tokens")
    assert page.evaluate(paper) == dark != light
    page.close()


def test_hostile_text_does_nothing(browser: Any, tmp_path: Path) -> None:
    with serving(lambda call: completion(HOSTILE, choice=sure(0.9))) as up, \
         proxy(tmp_path, f"small=openai:m@{up.url}", trace_text=True, audit=1.0) as url:  # fmt: skip
        trace = ask(url, HOSTILE, "nosce/think")
        page, said = opened(browser, f"{url[:-3]}/ui/trace/{trace}")
        for path in ("/", "/ui/audit", f"/ui/trace/{trace}", f"/?q={quote(HOSTILE)}", "/?show=%22%3E%3Cimg%3E&before=1e9"):
            page.goto(url[:-3] + path)
            assert page.locator("main script, main img").count() == 0
        page.goto(f"{url[:-3]}/ui/playground")
        page.fill("#question", HOSTILE)
        page.click("text=Ask both")
        page.wait_for_selector("[data-side=right] .made")
        assert page.locator(".side script, .side img").count() == 0
        assert HOSTILE.partition("'")[0] in page.locator("[data-side=left] .answer").inner_text()
        assert "owned" not in page.title()
        assert said == []
        page.close()


STRANGE = "مرحبا \u202e gnp.exe 👩‍👩‍👧‍👦 <think><ans>\x1b[31m " + "x" * 20_000
"""Right to left, an override that would turn names around, a family of emoji, control tokens, an escape, and no end."""


def test_strange_text_is_shown_as_it_is_and_keeps_its_place(browser: Any, tmp_path: Path) -> None:
    with serving(lambda call: completion(STRANGE, choice=sure(0.9))) as up, \
         proxy(tmp_path, f"small=openai:m@{up.url}", trace_text=True, audit=1.0) as url:  # fmt: skip
        trace = ask(url, STRANGE, "nosce/think")
        page, said = opened(browser, url[:-3], 375)
        for path in ("/", "/ui/audit", f"/ui/trace/{trace}"):
            page.goto(url[:-3] + path)
            text = page.locator("main").inner_text()
            assert page.evaluate("document.documentElement.scrollWidth") <= 375, path
            assert "مرحبا" in text
            assert "👩‍👩‍👧‍👦" in text
            assert not set("\u202e\x1b") & set(page.content())
        page.click("text=Open all")
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        assert said == []
        page.close()


def test_one_logs_in_and_out(browser: Any, tmp_path: Path) -> None:
    key = Keys(Store(tmp_path / "nosce.db"), Limits()).make("alice")
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        page, said = opened(browser, f"{url[:-3]}/ui/tokens", 390)
        assert page.evaluate("document.activeElement.id") == "key"
        page.keyboard.type(key)
        page.keyboard.press("Enter")
        page.wait_for_url("**/ui/tokens")
        assert "nosce-session" not in page.evaluate("document.cookie")
        assert said == []
        page.click("text=Log out")
        page.wait_for_url("**/ui/login")
        page.goto(f"{url[:-3]}/ui/tokens")
        assert "/ui/login" in page.url
        page.close()
