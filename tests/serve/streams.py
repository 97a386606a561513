"""Streamed answers of a stub."""

import json
from typing import Any

from tests.servers.stub import Raw


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    """One event of a streamed chat completion."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    data = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "stub", "choices": [choice], **more}
    return f"data: {json.dumps(data)}\n\n".encode()


def chunks(*texts: str, after: str = "close") -> Raw:
    """A whole stream that says these texts."""
    said = (chunk({"role": "assistant"}), *(chunk({"content": text}) for text in texts), chunk({}, "stop"), b"data: [DONE]\n\n")
    return Raw(200, {"content-type": "text/event-stream"}, said, after)
