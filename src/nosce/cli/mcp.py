"""`nosce mcp`: the tools solve, confidence and check for an agent, over standard input and output."""

from __future__ import annotations

from nosce.cli import flags
from nosce.cli.flags import examples

EXAMPLES = examples("nosce mcp", "nosce mcp --model openai:llama-3@http://127.0.0.1:8080/v1")


def mcp(model: flags.Model = "socrates", config: flags.Config = None) -> None:
    """Serve the Model Context Protocol on standard input and output: the tools solve, confidence and check on one model."""
    import asyncio

    from nosce.models.load import load_probed_roster
    from nosce.serve.mcp import build, need_mcp

    need_mcp()

    async def run() -> None:
        roster = await load_probed_roster(model)
        await build(roster).run_stdio_async()

    asyncio.run(run())
