"""Keys of callers: made once, shown once, kept as digests; guessing them is slowed."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256

from pydantic import ValidationError

from nosce.core.errors import InputError
from nosce.serve.config import Limits
from nosce.serve.store import Store, packed

_PREFIX = "nosce-"
_FRESH = 1.0  # seconds for which the list of keys is trusted
_MOST_GUESSERS = 10_000
_FORGIVEN = 600.0  # seconds after which earlier wrong keys no longer count
_SLOWEST = 4.0  # seconds, the longest that a wrong key is made to wait


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the key's id, its role (`user` or `admin`) and what it may do."""

    id: str
    name: str
    role: str
    limits: Limits


def digest(key: str) -> bytes:
    """What is kept of a key. Keys are 256 random bits, so one round of SHA-256 cannot be turned back."""
    return sha256(key.encode()).digest()


@dataclass(slots=True)
class Keys:
    """The keys of a store, read again when they are a second old, so that every process sees a revocation.

    `limits` are the server's own; a key's are laid over them. Without any key a loopback server lets everybody in as `local`.
    """

    store: Store
    limits: Limits
    _known: list[tuple[bytes, Caller]] = field(default_factory=list)
    _read: float = 0.0
    _ever: bool = False
    _guesses: OrderedDict[str, tuple[int, float]] = field(default_factory=OrderedDict)

    def make(self, name: str, *, role: str = "user", **limits: float | int | None) -> str:
        """A new key; it is returned once and kept nowhere."""
        if role not in ("user", "admin"):
            raise InputError(f"role {role!r}: expected user or admin")
        given = {k: v for k, v in limits.items() if v is not None}
        try:
            Limits.model_validate({**self.limits.model_dump(), **given})
        except ValidationError as error:
            fault = error.errors()[0]
            raise InputError(f"{fault['loc'][0]}={fault['input']!r}: {fault['msg']}".lower()) from None
        key = _PREFIX + secrets.token_urlsafe(32)
        row = ("k" + secrets.token_hex(6), name, digest(key), role, packed(given), time.time())
        self.store.now([("INSERT INTO keys(id, name, digest, role, limits, created) VALUES (?,?,?,?,?,?)", row)])
        self._read = 0.0
        return key

    def revoke(self, name: str) -> int:
        """Revoke the keys of that name or id; how many there were."""
        self._read = 0.0
        return self.store.now([("UPDATE keys SET revoked=? WHERE revoked IS NULL AND (name=? OR id=?)", (time.time(), name, name))])

    @property
    def any(self) -> bool:
        """Whether keys were ever set: revoking the last one opens no door."""
        return bool(self._current()) or self._ever

    @property
    def nobody(self) -> Caller:
        """Who asks a server without keys."""
        return Caller("local", "local", "admin", self.limits)

    def find(self, key: str) -> Caller | None:
        """Whose key this is. Every key on record is compared, each in constant time."""
        wanted, found = digest(key), None
        for known, caller in self._current():
            if hmac.compare_digest(known, wanted):
                found = caller
        return found

    def of(self, key_id: str) -> Caller | None:
        """Whose id this is, while the key is valid."""
        return next((caller for _, caller in self._current() if caller.id == key_id), None)

    async def wrong(self, address: str) -> None:
        """Make a wrong key wait: 50 ms after the first, doubled by each further one from there, at most four seconds.

        A right key is never kept waiting, so nobody can lock another out.
        """
        count, last = self._guesses.pop(address, (0, 0.0))
        count = 0 if time.monotonic() - last > _FORGIVEN else count
        self._guesses[address] = (count + 1, time.monotonic())
        while len(self._guesses) > _MOST_GUESSERS:
            self._guesses.popitem(last=False)
        await asyncio.sleep(min(_SLOWEST, 0.05 * 2 ** min(count, 10)))

    def _current(self) -> list[tuple[bytes, Caller]]:
        if time.monotonic() - self._read > _FRESH or not self._read:
            everyone = self.store.rows("SELECT * FROM keys")
            rows, self._ever = [row for row in everyone if row["revoked"] is None], bool(everyone)
            self._known = [(row["digest"], Caller(row["id"], row["name"], row["role"], self._over(row["limits"]))) for row in rows]
            self._read = time.monotonic()
        return self._known

    def _over(self, text: str) -> Limits:
        return Limits.model_validate({**self.limits.model_dump(), **json.loads(text)})
