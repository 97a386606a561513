"""Running code: off unless asked for, and then only in a real sandbox."""

import shutil

import pytest

from nosce.core.errors import CapabilityError
from nosce.tools.python import SWITCH, sandboxed

sandbox = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")


def test_it_is_off_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SWITCH, raising=False)
    with pytest.raises(CapabilityError, match=SWITCH):
        sandboxed()


def test_without_bubblewrap_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "1")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CapabilityError, match="apt install bubblewrap"):
        sandboxed()


@sandbox
def test_code_runs_and_errors_are_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "1")
    run = sandboxed()
    assert run("print(sum(range(10)))") == "45"
    assert run("1/0") == "error: ZeroDivisionError: division by zero"
    assert run("print('x' * 10**7)").startswith("error: ")


@sandbox
@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.create_connection(('127.0.0.1', 22), 1)",
        "open('/etc/passwd').read()",
        "open('/usr/x', 'w')",
        "x = bytearray(2 << 30)",
        "while True: pass",
    ],
)
def test_nothing_outside_is_within_reach(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "1")
    assert sandboxed()(code).startswith("error: ")
