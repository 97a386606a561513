"""One file format: what `nosce calibrate` and `nosce serve calibrate` write is read by solve, wrap and serve, or refused."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
from tests.serve.live import proxy
from tests.serve.test_passing import post
from tests.serve.test_wrap import policy, sure
from tests.servers.stub import Call, Raw, completion, serving

import nosce
from nosce.cli.app import run as command
from nosce.core.errors import InputError, ModelError
from nosce.core.problem import Problem
from nosce.evidence.calibration import About, Calibration, Wish, calibrate_rows
from nosce.evidence.calibration_file import named, read_calibration
from nosce.evidence.labels import Labelled
from nosce.evidence.plan import plan
from nosce.evidence.policy import Policy
from nosce.evidence.run import solve
from nosce.serve.calibrating import calibrate
from nosce.serve.config import Config, Upstream, configure

SPEC = "openai:m@http://127.0.0.1:9/v1#as-asked"


def calibration(**about: Any) -> Calibration:
    """Of `think`: 400 labelled rows whose confidence is the truth's rate, tested at risks 0.2 and 0.001."""
    rng = np.random.default_rng(0)
    p = rng.uniform(0, 1, 400)
    names = tuple(str(i) for i in range(400))
    rows = Labelled(p, rng.random(400) < p, ("",) * 400, names, np.ones(400))
    whose = {"model": "v", "strategy": "think", "signal": "confidence", "spec": SPEC, **about}
    return calibrate_rows(rows, About(**whose), Wish("temperature", (0.2, 0.001))).calibration


def kept(folder: Path, made: Calibration | Policy) -> Path:
    path = folder / "calibrator.json"
    path.write_text(made.to_json())
    return path


def wrapped(url: str, path: Path, **settings: Any) -> Any:
    return nosce.wrap(openai.OpenAI(base_url=url, api_key="k", max_retries=0), policy=path, **{"strategy": "think", **settings})


def said(client: Any, **more: Any) -> Any:
    made = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "2+2"}], **more)
    return made, made.metacognition


def test_a_wrapped_client_decides_by_what_nosce_calibrate_wrote(tmp_path: Path) -> None:
    made = calibration()
    path = kept(tmp_path, made)
    assert read_calibration(path) == made
    with serving(lambda call: completion("4", choice=sure(0.99 if call.body.get("user") == "sure" else 0.3))) as up:
        client = wrapped(up.url, path, risk=0.2)
        answer, about = said(client, user="sure")
        assert (answer.choices[0].message.content, about.outcome, about.calibrated) == ("4", "answered", True)
        assert about.confidence == pytest.approx(float(made.calibrator.transform([0.99])[0]), abs=1e-6)
        assert up.calls[0].body["temperature"] == 0.7  # drawn as those answers were that the calibration saw
        answer, about = said(client)
        assert (answer.choices[0].message.content, about.outcome) == (None, "abstained")
        assert "is below" in answer.choices[0].message.refusal
        _, about = said(client, user="sure", temperature=0.1)
        assert (about.calibrated, "temperature 0.1, not None" in about.reason) == (False, True)
        _, about = said(client, extra_body={"metacognition": {"strategy": "direct"}})
        assert (about.calibrated, "strategy 'direct', not 'think'" in about.reason) == (False, True)
        spent = len(up.calls)
        with pytest.raises(InputError, match="not in this calibrator"):
            said(client, extra_body={"metacognition": {"risk": 0.07}})
        with pytest.raises(InputError, match="keeps no promise"):
            said(wrapped(up.url, path, risk=0.001))
        with pytest.raises(InputError, match="made for model 'm', not for 'other'"):
            client.chat.completions.create(model="other", messages=[{"role": "user", "content": "2+2"}])
        assert len(up.calls) == spent


@pytest.mark.parametrize(
    ("about", "settings", "why"),
    [({}, {"strategy": "auto"}, "strategy 'think', not for 'auto'"),
     ({"signal": "p-true"}, {}, "signal 'p-true', not for 'confidence'"),
     ({"spec": "openai:m@http://127.0.0.1:9/v1"}, {}, "questions put 'chat', not for 'as-asked'.*#as-asked")],
)  # fmt: skip
def test_another_strategy_signal_or_way_of_asking_is_refused_before_anything_is_sent(
    about: dict[str, str], settings: dict[str, str], why: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=why):
        wrapped("http://127.0.0.1:9/v1", kept(tmp_path, calibration(**about)), **settings)


def test_the_proxy_reads_it_too(tmp_path: Path) -> None:
    path = kept(tmp_path, calibration())
    body = {"model": "nosce/think", "messages": [{"role": "user", "content": "2+2"}]}
    with serving(lambda call: completion("4", choice=sure(0.3))) as up:
        with proxy(tmp_path, f"small=openai:m@{up.url}", policy=path, risk=0.2) as url:
            about = json.loads(post(f"{url}/chat/completions", json.dumps(body).encode())[1])["metacognition"]
            other = json.loads(post(f"{url}/chat/completions", json.dumps({**body, "model": "nosce/auto"}).encode())[1])
        assert (about["outcome"], about["calibrated"]) == ("abstained", True)
        assert "does not hold here" in other["metacognition"]["reason"]
    for model, risk, why in (("big", None, "model 'm', not for 'big'"), ("m", 0.3, "not in this calibrator")):
        with pytest.raises(InputError, match=why), proxy(tmp_path, f"s=openai:{model}@{up.url}", policy=path, risk=risk):
            pass


def test_specs_name_a_model_and_how_it_is_asked() -> None:
    assert named(SPEC) == ("m", "as-asked")
    assert named("openai:m@http://h/v1") == ("m", "chat")
    assert named("socrates") == ("socrates", "socrates")


# -- nosce serve calibrate ----------------------------------------------------------------------------------------------


def knows(call: Call) -> Any:
    """Right and sure on even sums; on odd ones wrong, and unsure."""
    question = next(m["content"] for m in reversed(call.body["messages"]) if "+" in str(m["content"]))
    a, b = (int(part) for part in question.splitlines()[0].split("+"))
    odd = (a + b) % 2
    return completion(str(a + b + odd), choice=sure(0.4 if odd else 0.95))


def test_serve_calibrate_learns_when_an_answer_is_sure_and_keeps_its_promise(tmp_path: Path) -> None:
    problems = [Problem(f"q{i}", f"{i}+{i // 2}", reference=str(i + i // 2)) for i in range(100)]
    seen: list[int] = []
    with serving(knows) as up:
        config = configure(None, (f"small=openai:m@{up.url}",), database=tmp_path / "n.db")
        made = asyncio.run(calibrate(config, problems, system="Be brief.", watch=lambda done, total, cost: seen.append(done)))
        assert all(call.body["messages"][0] == {"role": "system", "content": "Be brief."} for call in up.calls)
        assert "direct" not in made.ladder.rungs  # a conversation put as it was asked has no shorter way
        assert max(seen) == 100
        kept_promise = made.promise(0.2)
        assert kept_promise.enough is not None
        assert kept_promise.wrong == 0
        assert made.promise(0.001).enough is None
        path = kept(tmp_path, made)
        again = read_calibration(path)
        assert isinstance(again, Policy)
        assert again.to_json() == made.to_json()
        client = nosce.wrap(openai.OpenAI(base_url=up.url, api_key="k"), policy=path, risk=0.2)
        outcomes = {}
        for text in ("200+2", "200+3"):
            about = client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}]).metacognition
            outcomes[text] = (about.outcome, about.calibrated)
        assert outcomes == {"200+2": ("answered", True), "200+3": ("abstained", True)}


def test_serve_calibrate_refuses_what_has_no_labels_and_too_few(tmp_path: Path) -> None:
    config = configure(None, ("small=openai:m@http://127.0.0.1:9/v1",), database=tmp_path / "n.db")
    with pytest.raises(InputError, match="calibration needs labels"):
        asyncio.run(calibrate(config, [Problem("a", "1+1")]))
    with pytest.raises(InputError, match="too few"):
        asyncio.run(calibrate(config, [Problem("a", "1+1", reference="2")]))


@pytest.mark.parametrize("known", [0, 150])
def test_serve_calibrate_says_that_its_upstream_cannot_be_reached(known: int, tmp_path: Path) -> None:
    """One that is gone from the start is given up after the first questions; one that goes later is named with what failed."""
    problems = [Problem(f"q{i}", f"{i}+1", reference=str(i + 1)) for i in range(40)]
    with serving(lambda call: completion("1") if call.number < known else Raw(after="drop")) as up:
        one = Upstream(model=f"openai:m@{up.url}", retries=0)
        config = Config(upstreams={"small": (one,)}, database=tmp_path / "n.db")
        with pytest.raises(ModelError, match="upstream small gave no answer") as said:
            asyncio.run(calibrate(config, problems))
        assert len(up.calls) < 40 + 2 * known
        assert ("questions failed" in str(said.value)) == bool(known)


def test_the_command_writes_a_policy_and_solve_reads_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert command(("serve", "calibrate", "family:facts?n=90&split=dev", "--demo", "--risk", "0.6", "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["promises"][0]["enough"] is not None
    made = plan("family:facts?n=30&split=test", strategy="auto", calibrator="policy.json", risk=0.6)
    assert made.artifact is not None
    rows = asyncio.run(solve(replace(made, out=None))).rows
    answered = [row for row in rows if row.outcome == "answered"]
    assert answered
    assert sum(not row.correct for row in answered) <= 0.6 * len(answered)
    for given, why in (
        ({"strategy": "think"}, "use --strategy auto"), ({"model": "socrates-weak"}, "made for socrates, not for socrates-weak"),
        ({"risk": 0.0001}, "nothing promised"), ({"data": "family:facts?n=90&split=dev"}, "of these questions made the policy"),
    ):  # fmt: skip
        wanted: dict[str, Any] = {"data": "family:facts?n=30&split=test", "strategy": "auto", "calibrator": "policy.json", **given}
        with pytest.raises(InputError, match=why):
            plan(wanted.pop("data"), **wanted)


@pytest.mark.parametrize("reader", [read_calibration, Policy.read, Calibration.read])
def test_a_file_that_is_none_is_named(reader: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for text in ("", "{}", "[]", '{"format": "nosce-calibrator", "version": 1}', "\x00", kept(tmp_path, policy()).read_text()[:-9]):
        path.write_text(text)
        with pytest.raises(InputError, match=r"x\.json"):
            reader(path)
    other = kept(tmp_path, policy() if reader == Calibration.read else calibration())
    if reader != read_calibration:
        with pytest.raises(InputError, match="policy of auto"):
            reader(other)
