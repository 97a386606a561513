"""A stub upstream on loopback: answers chat completions at once, streams them slowly when asked to. Run as a process."""

from __future__ import annotations

import asyncio
import json
import sys

USAGE = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "4"}, "finish_reason": "stop"}
WHOLE = json.dumps(
    {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "stub", "choices": [CHOICE], "usage": USAGE}
).encode()
MODELS = json.dumps({"object": "list", "data": [{"id": "stub", "object": "model", "created": 1, "owned_by": "bench"}]}).encode()
PIECES = 10
PAUSE = 0.5  # seconds between the pieces of a slow stream


def piece(text: str, finish: str | None = None) -> bytes:
    """One chunk, framed for chunked transfer."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    data = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "stub", "choices": [choice]}
    event = f"data: {json.dumps(data)}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(event), event)


async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Requests of one connection, one after the other."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            body = await reader.readexactly(length)
            if b'"stream": true' in body or b'"stream":true' in body:
                await stream(writer, slow=b"slowly" in body)
                continue
            answer = MODELS if head.startswith(b"get") else WHOLE
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(answer) + answer)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def stream(writer: asyncio.StreamWriter, slow: bool) -> None:
    """A streamed answer of PIECES chunks."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    for number in range(PIECES):
        writer.write(piece(f"{number} ", "stop" if number == PIECES - 1 else None))
        await writer.drain()
        await asyncio.sleep(PAUSE if slow else 0)
    writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
    await writer.drain()


async def main(port: int) -> None:
    """Serve until killed."""
    server = await asyncio.start_server(handle, "127.0.0.1", port, backlog=4096)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
