"""A Model Context Protocol server: the tools `solve`, `confidence` and `check`, on one model."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.cost import Budget
from nosce.core.equivalence import Equivalence
from nosce.core.errors import CapabilityError, NosceError
from nosce.core.problem import Problem
from nosce.core.streams import fingerprint
from nosce.mind.engine import Engine
from nosce.mind.mind import Mind
from nosce.models.base import Model
from nosce.serve.servable import served

if TYPE_CHECKING:
    from mcp.server import MCPServer

MOST = Budget(calls=32)
"""What one tool call may spend at most."""


def need_mcp() -> None:
    """Raises CapabilityError where the SDK is missing."""
    from importlib.util import find_spec

    if find_spec("mcp") is None:
        raise CapabilityError("mcp", "this installation", "pip install 'nosce[mcp]'")


def build(roster: Mapping[str, Model]) -> MCPServer:
    """The server, not yet running. Its tools return plain objects; an error is a tool error with one line."""
    from mcp.server import MCPServer

    server = MCPServer("nosce", instructions="Answers with a confidence; confidence and checks of answers you already have.")

    @server.tool()
    async def solve(question: str, strategy: str = "auto", budget: str = "calls=16") -> dict[str, Any]:
        """Answer a question and say how sure that is. budget: e.g. `calls=8` or `tokens=2000`."""
        return await _or_error(solved(roster, question, strategy, budget))

    @server.tool()
    async def confidence(question: str, answer: str, samples: int = 4) -> dict[str, Any]:
        """How sure this model is of an answer that you have: P(True), and how many of its own answers agree with it."""
        return await _or_error(measured(roster, question, answer, samples))

    @server.tool()
    async def check(question: str, answer: str) -> dict[str, Any]:
        """Look for the first wrong step of an answer or a worked solution: which one, why, and how likely it is right."""
        return await _or_error(checked(roster, question, answer))

    return server


async def _or_error(work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """The work's result; an error that a person can mend is told as the tool's."""
    from mcp.server.mcpserver.exceptions import ToolError

    try:
        return await work
    except NosceError as error:
        raise ToolError(str(error)) from None


def _problem(question: str) -> Problem:
    return Problem(fingerprint("mcp", question, size=8), question, equivalence=Equivalence("number"))


async def solved(roster: Mapping[str, Model], question: str, strategy: str, budget: str) -> dict[str, Any]:
    """The tool `solve`."""
    system, asked = served(strategy), Budget.parse(budget)
    calls = min(asked.calls or 32, 32)
    engine = Engine(roster, Budget(asked.tokens, asked.completion_tokens, calls, None, None, asked.seconds))
    engine.check(system)
    answer = (await engine.solve(_problem(question), system)).answer
    return told(answer)


def told(answer: Answer) -> dict[str, Any]:
    """An answer as a plain object."""
    return {
        "answer": answer.value if answer.outcome == "answered" else None, "outcome": answer.outcome,
        "confidence": answer.confidence,
        "source": answer.source, "calibrated": answer.calibrated is not None, "reason": answer.reason, "tokens": answer.cost.tokens,
        "calls": answer.cost.calls,
    }  # fmt: skip


def _mind(roster: Mapping[str, Model], question: str) -> Mind:
    return Engine(roster, MOST).mind(_problem(question))


def _given(mind: Mind, answer: str) -> Attempt:
    """The answer as an attempt that the model is shown. The bundled model writes a mark before an answer."""
    text = f"<ans> {answer}" if mind.dialect.name.startswith("socrates") else answer
    return Attempt("given", text, answer, act="direct")


async def measured(roster: Mapping[str, Model], question: str, answer: str, samples: int) -> dict[str, Any]:
    """The tool `confidence`."""
    if not 0 <= samples <= 16:
        raise NosceError(f"samples={samples}: expected 0 to 16")
    mind = _mind(roster, question)
    problem, made = mind.work.problem, _given(mind, answer)
    believed = await mind.verify(problem, made) if "verify" in mind.dialect.acts else None
    own = [a.answer for a in await mind.think(problem, n=samples)] if samples else []
    agreeing = sum(said is not None and problem.same(said, answer) for said in own)
    return {
        "p_true": believed.value if believed else None, "source": believed.source if believed else "none", "agree": agreeing,
        "samples": len(own), "tokens": mind.work.meter.spent.tokens,
    }  # fmt: skip


async def checked(roster: Mapping[str, Model], question: str, answer: str) -> dict[str, Any]:
    """The tool `check`."""
    mind = _mind(roster, question)
    problem, made = mind.work.problem, _given(mind, answer)
    found = await mind.critique(problem, made)
    believed = await mind.verify(problem, made) if "verify" in mind.dialect.acts else None
    return {
        "fault": found.fault, "step": found.step, "why": found.text, "p_true": believed.value if believed else None,
        "tokens": mind.work.meter.spent.tokens,
    }  # fmt: skip
