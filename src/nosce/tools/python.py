"""Running a model's Python code: off by default, and only inside bubblewrap, without network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from nosce.core.errors import CapabilityError

if TYPE_CHECKING:
    from nosce.tools import Tool

SWITCH = "NOSCE_ALLOW_CODE"
_OUTPUT = 4000  # characters handed back
_LIMITS = """
import resource, sys
for what, most in ((resource.RLIMIT_AS, 1 << 30), (resource.RLIMIT_CPU, {seconds}), (resource.RLIMIT_FSIZE, 1 << 20),
                   (resource.RLIMIT_CORE, 0)):
    resource.setrlimit(what, (most, most))
exec(compile(sys.stdin.read(), "<code>", "exec"), {{"__name__": "__main__"}})
"""


def sandboxed() -> Tool:
    """The tool. Raises CapabilityError while it is switched off, and where bubblewrap is missing or can't start."""
    if os.environ.get(SWITCH) != "1":
        raise CapabilityError("running code", "this run", f"set {SWITCH}=1 to allow it (it needs bubblewrap)")
    program = shutil.which("bwrap")
    if program is None:
        raise CapabilityError("a sandbox", "this machine", "bubblewrap: apt install bubblewrap")
    made = Sandbox(program)
    if made("print(6*7)") != "42":
        raise CapabilityError("a working sandbox", "this machine", "bubblewrap with user namespaces allowed")
    return made


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Python in a world of its own: no network, no files but the interpreter's (read-only) and an empty /tmp.

    seconds: of processor time, and twice that of wall clock; 1 GiB of memory; 1 MiB of output.
    """

    bwrap: str
    seconds: int = 5

    def __call__(self, text: str) -> str:
        """What the code printed, or `error: ` and the last line of what went wrong."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                code = text.encode("utf-8", "replace")
                done = subprocess.run(self.command(), input=code, stdout=out, stderr=err, timeout=2 * self.seconds, check=False)
            except subprocess.TimeoutExpired:
                return f"error: stopped after {2 * self.seconds} seconds"
            except OSError as error:
                return f"error: the sandbox did not start: {error}"
            printed, trouble = _tail(out, head=True), _tail(err, head=False)
        if done.returncode == 0:
            return printed.strip()
        lines = trouble.strip().splitlines()
        return f"error: {lines[-1] if lines else f'ended with code {done.returncode}'}"

    def command(self) -> list[str]:
        """The command line: every namespace unshared, the system's libraries read-only, nothing else there."""
        interpreter = os.path.realpath(sys.executable)
        shared = [path for path in ("/usr", "/lib", "/lib64", "/bin", sys.base_prefix) if os.path.exists(path)]
        binds = [part for path in dict.fromkeys(shared) for part in ("--ro-bind", path, path)]
        return [
            self.bwrap, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", *binds,
            "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/tmp",
            interpreter, "-I", "-S", "-c", _LIMITS.format(seconds=self.seconds),
        ]  # fmt: skip


def _tail(file: IO[bytes], head: bool) -> str:
    """The beginning or the end of what was written."""
    file.seek(0)
    text = file.read().decode("utf-8", "replace")
    return text[:_OUTPUT] if head else text[-_OUTPUT:]
