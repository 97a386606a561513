"""Clients that nobody here wrote, through the proxy: curl, the openai package for Node, LangChain, llm, Inspect AI.

`make clients` installs them into .clients. Elsewhere they are found by NOSCE_CLIENTS_PYTHON and NOSCE_NODE_MODULES, or in this
interpreter; each test is skipped, with the reason, where its client is missing.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.serve.live import proxy
from tests.servers.stub import Call, completion, serving

HOME = Path(__file__).parents[2] / ".clients"
PYTHONS = [os.environ.get("NOSCE_CLIENTS_PYTHON", str(HOME / "bin" / "python")), sys.executable]
MODULES = Path(os.environ.get("NOSCE_NODE_MODULES", HOME / "node" / "node_modules"))
NODE = next((str(one) for one in (HOME / "bin" / "node",) if one.exists()), shutil.which("node"))
TOOL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}


def answer(call: Call) -> Any:
    """A tool call where tools are offered, JSON where JSON is asked for, else 4."""
    if call.body.get("tools"):
        message = {"role": "assistant", "content": None, "tool_calls": [TOOL]}
        return completion(choice={"message": message, "finish_reason": "tool_calls"})
    return completion('{"name":"Oslo"}' if call.body.get("response_format") else "4")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(answer) as up, proxy(tmp_path_factory.mktemp("proxy"), f"small=openai:m@{up.url}") as address:
        yield address


def ran(command: list[str], **environment: str) -> str:
    """Standard output of a command that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, **environment}, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def python(module: str) -> str:
    """The interpreter that has this module; skips where none has it."""
    code = f"import importlib.util as u, sys; sys.exit(u.find_spec({module!r}) is None)"
    for one in filter(os.path.exists, PYTHONS):
        if subprocess.run([one, "-c", code], check=False).returncode == 0:
            return one
    pytest.skip(f"{module} is not installed; `make clients` installs it")


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_curl(url: str) -> None:
    body = {"model": "nosce/auto", "messages": [{"role": "user", "content": "2+2"}]}
    command = ["curl", "-sS", "-i", f"{url}/chat/completions", "-H", "content-type: application/json", "-d"]
    head, _, said = ran([*command, json.dumps(body)]).replace("\r", "").partition("\n\n")
    assert "x-nosce-outcome: answered" in head
    assert json.loads(said)["metacognition"]["outcome"] == "answered"
    streamed = ran([*command, json.dumps({**body, "stream": True})])
    assert streamed.rstrip().endswith("data: [DONE]")
    assert ": nosce {" in streamed


SCRIPT = """
import OpenAI from "openai";
const client = new OpenAI({ baseURL: process.env.URL, apiKey: "k", maxRetries: 0 });
const messages = [{ role: "user", content: "2+2" }];
const out = {};
out.whole = (await client.chat.completions.create({ model: "nosce/auto", messages })).metacognition.outcome;
let text = "";
for await (const chunk of await client.chat.completions.create({ model: "nosce/auto", messages, stream: true }))
  text += chunk.choices[0]?.delta?.content ?? "";
out.streamed = text;
const tools = [{ type: "function", function: { name: "weather", parameters: {} } }];
const runner = client.chat.completions.stream({ model: "nosce/auto", messages, tools });
out.tool = (await runner.finalChatCompletion()).choices[0].message.tool_calls[0].function.arguments;
const response_format = { type: "json_object" };
const structured = await client.chat.completions.create({ model: "nosce/auto", messages, response_format });
out.structured = JSON.parse(structured.choices[0].message.content);
out.passed = (await client.chat.completions.create({ model: "small", messages })).choices[0].message.content;
out.response = (await client.responses.create({ model: "nosce/auto", input: "2+2" })).output_text;
console.log(JSON.stringify(out));
"""


@pytest.mark.skipif(not NODE or not (MODULES / "openai").is_dir(), reason="no openai for Node; `make clients` installs it")
def test_openai_for_node(url: str, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(MODULES.resolve())
    (tmp_path / "ask.mjs").write_text(SCRIPT)
    out = json.loads(ran([str(NODE), str(tmp_path / "ask.mjs")], URL=url))
    assert out == {
        "whole": "answered", "streamed": "4", "tool": '{"city":"Oslo"}', "structured": {"name": "Oslo"},
        "passed": "4", "response": "4",
    }  # fmt: skip


LANGCHAIN = """
import os, json
from langchain_openai import ChatOpenAI
model = ChatOpenAI(model="nosce/auto", base_url=os.environ["URL"], api_key="k", max_retries=0)
def weather(city: str) -> str:
    "The weather of a city."
out = {"whole": model.invoke("2+2").content, "streamed": "".join(c.content for c in model.stream("2+2"))}
out["tool"] = model.bind_tools([weather]).invoke("weather?").tool_calls[0]["args"]
print(json.dumps(out))
"""


def test_langchain(url: str) -> None:
    said = json.loads(ran([python("langchain_openai"), "-c", LANGCHAIN], URL=url))
    assert said == {"whole": "4", "streamed": "4", "tool": {"city": "Oslo"}}


def test_llm(url: str, tmp_path: Path) -> None:
    model = f"- model_id: nosce-auto\n  model_name: nosce/auto\n  api_base: {url}\n"
    (tmp_path / "extra-openai-models.yaml").write_text(model)
    for more in ([], ["--no-stream"]):
        said = ran([python("llm"), "-m", "llm", "-m", "nosce-auto", "--key", "k", *more, "2+2"], LLM_USER_PATH=str(tmp_path))
        assert said.strip() == "4"


INSPECT = """
import asyncio, os
from inspect_ai.model import get_model
model = get_model("openai-api/nosce/nosce/auto", base_url=os.environ["URL"], api_key="k")
print(asyncio.run(model.generate("2+2")).completion)
"""


def test_inspect(url: str) -> None:
    assert ran([python("inspect_ai"), "-c", INSPECT], URL=url).split()[-1] == "4"
