"""Asking an upstream for a whole answer, on behalf of a strategy."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from nosce.core.errors import ModelError
from nosce.serve.caller import Rejected
from nosce.serve.passthrough import Unwell, checked
from nosce.serve.store import packed
from nosce.serve.transport import Failed
from nosce.serve.upstreams import Upstreams


async def ask(upstreams: Upstreams, alias: str, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    """The answer to a chat request, by whichever replica gives one.

    Raises Rejected with the upstream's own answer where it refuses, ModelError where none answers.
    """
    tried: list[Failed] = []
    busy: set[int] = set()
    for replica, wait in upstreams.tries(alias):
        if id(replica) in busy:
            continue
        if wait:
            await asyncio.sleep(wait)
        payload = packed({**body, "model": replica.model}).encode()
        try:
            url, timeout = f"{replica.base}/chat/completions", replica.settings.timeout
            reply = checked(await upstreams.transport.post(url, payload, replica.headers(headers), timeout))
        except Failed as error:
            replica.ill(str(error))
            tried.append(error)
            if isinstance(error, Unwell) and error.reply.status == 429:
                busy.add(id(replica))
            continue
        replica.well()
        if reply.status >= 300:
            raise Rejected(reply.status, reply.body, wait=reply.headers.get("retry-after", ""))
        return _object(alias, reply.body)
    last = next((error.reply for error in reversed(tried) if isinstance(error, Unwell)), None)
    if last is not None:
        raise Rejected(last.status, last.body, wait=last.headers.get("retry-after", ""))
    raise ModelError(f"upstream {alias} gave no answer ({tried[-1] if tried else 'it cannot be asked'}); tried {len(tried)} times")


def _object(alias: str, body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body, parse_constant=lambda name: None)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise ModelError(f"upstream {alias}: the answer is not a JSON object")
    return data
