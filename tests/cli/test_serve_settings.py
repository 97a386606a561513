"""`nosce serve` before it serves: what is refused, with what to do, and what `--check` says of the settings."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., tuple[int, str, str]]
FILE = """
[serve]
port = 8711
risk = 0.1
strong = "big"
keep_days = 7

[serve.limits]
requests = 60
max_tokens = 512

[serve.memory]
keep_days = 14

[serve.upstreams.small]
model = "openai:m@http://127.0.0.1:9/v1"
price = [1.0, 2.0]
fallback = ["big"]

[[serve.upstreams.big]]
model = "openai:a@http://127.0.0.1:9/v1"

[[serve.upstreams.big]]
model = "openai:b@http://127.0.0.1:9/v1"
"""

X = "[serve.upstreams.x]\n"


def test_a_file_holds_every_setting_and_flags_go_over_it(here: Path, nosce: Command) -> None:
    (here / "nosce.toml").write_text(FILE)
    code, said, _ = nosce("serve", "--config", "nosce.toml", "--port", "9000", "--check", "--json")
    held = json.loads(said)
    assert code == 0
    assert (held["port"], held["risk"], held["strong"], held["keep_days"]) == (9000, 0.1, "big", 7.0)
    assert (held["limits"]["requests"], held["limits"]["max_tokens"], held["memory"]["keep_days"]) == (60, 512, 14.0)
    assert [one["model"][:8] for one in held["upstreams"]["big"]] == ["openai:a", "openai:b"]
    assert held["upstreams"]["small"][0]["price"] == [1.0, 2.0]
    shown = nosce("serve", "--config", "nosce.toml", "--check")[1]
    assert "would listen at http://127.0.0.1:8711" in shown
    assert nosce("serve", "--demo", "--host", "::1", "--check")[1].splitlines()[-1].startswith("would listen at http://[::1]:8710,")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("prot = 1", "port"), ("port = 99999", "port"), ("risk = 2", "risk"), ('strong = "none"', "no upstream; known: small"),
        ("audit = -1", "audit"), ("[serve.limits]\nbody = 1", "limits.body"), ("[serve.memory]\non = true", "--trace-text"),
        (f'{X}model = "hf:gpt2"', "openai:MODEL@URL"), (f'{X}model = "/etc/passwd"', "openai:MODEL@URL"),
        (f'{X}model = "openai:m@file:///x"', "openai:MODEL@URL"), ('[serve.upstreams."../x"]\nmodel = "socrates"', "a name is"),
        (f'{X}model = "socrates"\nfallback = ["y"]', "fallback"), ("= 3", "not TOML"),
        (f'{X}model = "socrates"\nkey_env = "NO_SUCH_KEY"', "NO_SUCH_KEY"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_work_is_refused_in_one_line(line: str, said: str, here: Path, nosce: Command) -> None:
    upstream = '[serve.upstreams.small]\nmodel = "openai:m@http://127.0.0.1:9/v1"\n'
    (here / "nosce.toml").write_text(f"[serve]\n{line}\n{upstream}" if not line.startswith("[") else f"{upstream}{line}\n")
    code, _, error = nosce("serve", "--config", "nosce.toml", "--check")
    assert (code, error.count("\n"), said in error) == (2, 1, True), error
    assert not (here / "nosce.db").exists()


def test_without_an_upstream_the_demo_is_named_and_another_host_takes_a_key(here: Path, nosce: Command) -> None:
    for arguments, said in (((), "--demo"), (("--demo", "--host", "0.0.0.0"), "nosce serve keys add")):
        code, _, error = nosce("serve", *arguments)
        assert (code, error.count("\n"), said in error) == (2, 1, True), error
    assert nosce("serve", "keys", "add", "alice")[0] == 0
    assert nosce("serve", "--demo", "--host", "0.0.0.0", "--check")[0] == 0
