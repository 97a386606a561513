"""Thinking once before anybody asks: a strategy's first question loads what all later ones need."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from nosce.core.errors import NosceError
from nosce.serve.service import Service

_SAID: dict[str, Any] = {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "4"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


def warm(service: Service) -> None:
    """Answer a question of our own with `auto`, from an upstream that is none: nothing is sent, and nothing is written down.

    Bundled models are loaded, too.
    Loading takes more than a second, in which a server that does it on the way could answer nobody. Run it in a thread.
    """
    from nosce.serve.answering import answered
    from nosce.serve.caller import Abilities, Caller
    from nosce.serve.servable import names
    from nosce.serve.settings import Settings

    async def says(body: dict[str, Any]) -> dict[str, Any]:
        return _SAID

    body = {"messages": [{"role": "user", "content": "2+2"}]}
    model = Caller(says, body, spec="nobody", version="0", abilities=Abilities())
    names()
    for replica in (one for every in service.upstreams.replicas.values() for one in every if one.local):
        with contextlib.suppress(NosceError):  # who asks for it is told
            service.bundled(replica.settings.model)
    asyncio.run(answered({"main": model}, body, Settings(), trace_id="warming"))
