"""Two servers that nobody here wrote give, with the same weights, what the bundled numpy network gives."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import served

from nosce.core.problem import Message
from nosce.models.base import Prompt, Request, Sample
from nosce.models.load import load, load_probed
from nosce.models.openai import OpenAIModel
from nosce.models.probe import Probe, table
from nosce.models.socrates.model import SocratesModel

pytestmark = [pytest.mark.servers, pytest.mark.timeout(290)]
ASKED = ["<q> 37+48-12 <think>", "<q> sum 12 10 21 10 <think>", "<q> p=T q=F r=F: r or (q and not p) <think>", "<q> 7*8 <fast>"]


@pytest.fixture(scope="module")
def own(folder: Path) -> dict[str, Sample]:
    """Greedy answers of the numpy network."""
    model = SocratesModel(str(folder))
    return {text: asyncio.run(model.sample(Request(Prompt(text=text), max_tokens=40, temperature=0, top=3)))[0] for text in ASKED}


def probed(name: str, url: str, **options: Any) -> tuple[OpenAIModel, Probe]:
    model = asyncio.run(load_probed(f"openai:{name}@{url}", **options))
    assert isinstance(model, OpenAIModel)
    assert model.probe is not None
    print(table(model.probe.features))
    return model, model.probe


def ask(model: OpenAIModel, request: Request) -> list[Sample]:
    async def run() -> list[Sample]:
        try:
            return await model.sample(request)
        finally:
            await model.close()

    return asyncio.run(run())


def test_llama_cpp_says_what_our_network_says(llama: str, own: dict[str, Sample]) -> None:
    model, probe = probed("socrates", llama, dialect="socrates")
    able = model.capabilities
    assert all((probe.saw("completions"), able.logprobs, able.seed, able.stop, able.usage, able.streaming, able.continuation))
    assert able.top >= 5
    assert model.context == 256
    for text, mine in own.items():
        (theirs,) = ask(model, Request(Prompt(text=text), max_tokens=40, temperature=0, top=3))
        ids = mine.token_ids if mine.token_ids[-1] != 8 else mine.token_ids[:-1]
        same = min(len(ids), len(theirs.token_ids))
        assert theirs.token_ids[:same] == ids[:same]
        assert theirs.text == mine.text
        assert np.allclose((theirs.logprobs or ())[:same], (mine.logprobs or ())[:same], atol=5e-3)
        assert theirs.prompt_tokens == mine.prompt_tokens
        assert theirs.completion_tokens in (mine.completion_tokens, mine.completion_tokens - 1)


def test_llama_cpp_draws_by_seed(llama: str) -> None:
    model, _ = probed("socrates", llama, dialect="socrates")
    prompt = Prompt(text="<q> make 61 from 3 5 7 9 2 <think>")
    first, again = [[ask(model, Request(prompt, (key,), 30, 1.5))[0].text for key in (1, 2, 3, 4)] for _ in range(2)]
    assert first == again
    assert len(set(first)) > 1
    many = ask(model, Request(prompt, tuple(range(10)), 30, 1.5))  # more than the server gives in one call
    assert len({s.text for s in many}) > 4
    assert all(s.completion_tokens >= len(s.logprobs or ()) > 0 for s in many)


def test_llama_cpp_chats_and_its_chat_is_probed(llama: str) -> None:
    model, probe = probed("chatty", llama)
    assert probe.saw("chat")
    (sample,) = ask(model, Request(Prompt((Message("user", ASKED[0]),)), max_tokens=8))
    assert sample.completion_tokens in range(1, 9)


def test_transformers_serve_says_what_our_network_says(transformers: str, folder: Path, own: dict[str, Sample]) -> None:
    model, probe = probed(str(folder), transformers, dialect="socrates")
    assert all((probe.saw("chat"), probe.saw("completions"), model.capabilities.usage))
    assert not model.capabilities.logprobs  # it gives none, whatever is asked
    assert not model.capabilities.n
    for text, mine in own.items():
        (theirs,) = ask(model, Request(Prompt(text=text), max_tokens=40, temperature=0))
        assert theirs.text == mine.text
        assert theirs.logprobs is None
        assert (theirs.prompt_tokens, theirs.completion_tokens) == (mine.prompt_tokens, mine.completion_tokens)


def test_a_server_that_is_killed_is_a_recorded_error(folder: Path, tmp_path: Path) -> None:
    served.needs("xllamacpp", "gguf")
    port = served.free_port()
    root = Path(__file__).parents[2]
    run = [served.PYTHON, "-m", "training.gguf", str(folder), str(tmp_path / "m.gguf")]
    served.subprocess.run(run, check=True, cwd=root, env={**served.os.environ, "PYTHONPATH": str(root / "src")})
    script = str(Path(__file__).with_name("llama_server.py"))
    with served.process([served.PYTHON, script, str(tmp_path / "m.gguf"), str(port)], port, tmp_path / "log") as url:
        model = load(f"openai:m@{url}", dialect="socrates", timeout=2, deadline=5, retries=2, backoff=0.05)
        assert asyncio.run(model.sample(Request(Prompt(text=ASKED[0]), max_tokens=4)))
    from nosce.core.errors import ModelError

    with pytest.raises(ModelError, match="is the server running"):
        asyncio.run(model.sample(Request(Prompt(text=ASKED[0]), max_tokens=4)))


@pytest.mark.parametrize("server", ["llama", "transformers"])
def test_the_proxy_stands_before_it(server: str, folder: Path, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Passed on, the proxy gives what the server gives; thinking, it adds how sure it is, from log-probabilities if any."""
    import openai
    from tests.serve.live import proxy

    upstream, name = request.getfixturevalue(server), "chatty" if server == "llama" else str(folder)
    asked: dict[str, Any] = {"messages": [{"role": "user", "content": ASKED[0]}], "max_tokens": 30, "temperature": 0}
    with proxy(tmp_path, f"up=openai:{name}@{upstream}") as url:
        direct, through = openai.OpenAI(base_url=upstream, api_key="k"), openai.OpenAI(base_url=url, api_key="k")
        plain = direct.chat.completions.create(model=name, **asked)
        passed = through.chat.completions.create(model="up", **asked)
        pieces = through.chat.completions.create(model="up", stream=True, **asked)
        streamed = [piece.choices[0].delta.content or "" for piece in pieces if piece.choices]
        thought = through.chat.completions.create(model="nosce/auto", **asked)
    assert passed.choices[0].message.content == plain.choices[0].message.content == "".join(streamed)
    assert passed.usage is not None
    assert plain.usage is not None
    assert passed.usage.completion_tokens == plain.usage.completion_tokens
    said = thought.metacognition  # type: ignore[attr-defined]
    assert said["source"] == ("logprobs" if server == "llama" else "samples")
    assert said["cost"]["calls"] >= 1
