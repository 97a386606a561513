"""One random stream per problem and draw."""

from __future__ import annotations

from hashlib import blake2b


def fingerprint(*parts: object, size: int = 16) -> str:
    """A stable hex digest of the parts' text forms (size in bytes)."""
    digest = blake2b(digest_size=size)
    for part in parts:
        data = str(part).encode(errors="surrogatepass")
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def stream_key(*parts: object) -> int:
    """A 63-bit key for the random stream of one draw, e.g. `stream_key(seed, problem.id, prompt, draw)`.

    It depends on nothing else: neither on what else is in the batch nor on the order of completion.
    """
    return int(fingerprint(*parts, size=8), 16) >> 1
