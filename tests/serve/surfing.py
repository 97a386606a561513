"""A visitor of the dashboard without a browser: cookies, forms and headers as they go over the wire."""

from __future__ import annotations

import http.client
import json
import re
from dataclasses import dataclass, field
from urllib.parse import urlencode


@dataclass
class Seen:
    """One answer."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Surfer:
    """Keeps cookies like a browser; `origin` is the server's address without `/v1`."""

    origin: str
    cookies: dict[str, str] = field(default_factory=dict)
    set: list[str] = field(default_factory=list)

    def get(self, path: str, **headers: str) -> Seen:
        """A page."""
        return self.send("GET", path, None, **headers)

    def submit(self, path: str, on: str | None = None, **fields: str) -> Seen:
        """Send a form with the token that the page `on` (the path itself by default) holds."""
        token = re.search(r'name="csrf" value="([0-9a-f]{64})"', self.get(on or path).text)
        assert token is not None, "the page has no form"
        return self.send("POST", path, urlencode({"csrf": token[1], **fields}))

    def send(self, method: str, path: str, body: str | None, **headers: str) -> Seen:
        """Any request."""
        connection = http.client.HTTPConnection(self.origin.split("/")[2], timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            sent.setdefault("content-type", "application/x-www-form-urlencoded")
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        text = answer.read().decode()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                self.set.append(value)
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        connection.close()
        return Seen(answer.status, {n.lower(): v for n, v in answer.getheaders()}, text)

    def log_in(self, key: str) -> Seen:
        """Log in with a key."""
        return self.submit("/ui/login", key=key)


AUDITED = (
    "INSERT INTO audit(trace_id, key_id, at, raw, data, state, score, labelled) "
    "SELECT 'audited-' || value, 'local', unixepoch(), 0.5 + value / 100.0, ?, 'labelled', value % 3 > 0, value "
    "FROM json_each(?)",
    (json.dumps({"outcome": "answered", "strategy": "auto"}), json.dumps(list(range(40)))),
)
"""Writes forty labelled audits, enough to draw; two in three are right."""
