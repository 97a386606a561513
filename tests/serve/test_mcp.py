"""The tools of `nosce mcp`, driven by the real SDK over standard input and output."""

import asyncio
import json
import sys
from typing import Any

import pytest

pytest.importorskip("mcp", reason="the extra nosce[mcp] is not installed")

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def _asked(*calls: tuple[str, dict[str, Any]]) -> tuple[list[str], list[Any]]:
    server = StdioServerParameters(command=sys.executable, args=["-c", "from nosce.cli.app import main; main()", "mcp"], env=None)
    async with stdio_client(server) as (reading, writing), ClientSession(reading, writing) as session:
        await session.initialize()
        names = [tool.name for tool in (await session.list_tools()).tools]
        return names, [await session.call_tool(name, arguments) for name, arguments in calls]


def test_the_three_tools_answer_and_a_fault_is_a_tool_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    import mcp.client.stdio as stdio

    monkeypatch.setattr(stdio, "get_default_environment", lambda: dict(os.environ))
    names, answers = asyncio.run(
        _asked(
            ("solve", {"question": "3+4"}), ("confidence", {"question": "3+4", "answer": "7"}),
            ("confidence", {"question": "3+4", "answer": "9", "samples": 0}), ("check", {"question": "3+4", "answer": "9"}),
            ("solve", {"question": "Who wrote Faust?"}), ("solve", {"question": "3+4", "strategy": "no-such"}),
        )
    )  # fmt: skip
    assert sorted(names) == ["check", "confidence", "solve"]
    read = [json.loads(a.content[0].text) if not a.is_error else a.content[0].text for a in answers]
    assert (read[0]["answer"], read[0]["outcome"]) == ("7", "answered")
    assert read[1]["agree"] >= 3
    assert read[1]["p_true"] > read[2]["p_true"]
    assert read[3]["fault"] is True
    assert (read[4]["answer"], read[4]["confidence"], read[4]["outcome"]) == (None, None, "abstained")
    assert "no-such" in read[5]
