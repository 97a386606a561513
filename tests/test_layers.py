"""How the package is built: arrows point down only, nothing heavy at import, no file too long to read."""

import ast
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

import nosce

ROOT = Path(nosce.__file__).parent
LAYERS = (
    ("core", "metrics"),
    ("models", "tasks", "environments", "tools", "stores"),
    ("mind",),
    ("monitor", "control", "reflect", "memory", "learn", "inside", "agents"),
    ("systems",),
    ("batteries", "evidence", "report"),
    ("cli", "serve", "inspect"),
)
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
HEAVY = ("torch", "transformers", "sklearn", "altair", "pandas", "gymnasium", "minigrid", "reasoning_gym", "math_verify", "openai")
FILES = sorted(ROOT.rglob("*.py"))


def imported(file: Path, *, at_import: bool = False) -> Iterator[str]:
    """The modules a file imports; `at_import` leaves out what functions and TYPE_CHECKING blocks import."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in _at_import(tree) if at_import else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]


def _at_import(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _at_import(child)


def room(module: str) -> str | None:
    """`nosce.mind.engine` → `mind`; None for what belongs to no layer."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "nosce" and parts[1] in RANK else None


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_arrows_point_down_only(file: Path) -> None:
    parts = file.relative_to(ROOT).parts
    if len(parts) == 1:
        return
    assert parts[0] in RANK, f"{parts[0]}/ is no room of the design"
    above = {module for module in imported(file) if (there := room(module)) and RANK[there] > RANK[parts[0]]}
    lent = {"nosce.systems"} if parts == ("core", "registry.py") else set()  # it finds the systems by walking their folder
    assert above <= lent, f"{'/'.join(parts)} imports from above: {sorted(above)}"


def test_systems_reach_each_other_only_through_the_registry() -> None:
    for file in (ROOT / "systems").rglob("*.py"):
        others = [m for m in imported(file) if m.startswith("nosce.systems.")]
        assert not others, f"{file.relative_to(ROOT)} imports {others[0]}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_nothing_heavy_is_imported_before_it_is_used(file: Path) -> None:
    heavy = {m.partition(".")[0] for m in imported(file, at_import=True)} & set(HEAVY)
    lazily_loaded = {("models", "openai.py"): {"openai"}}
    allowed = lazily_loaded.get(file.relative_to(ROOT).parts, set())
    assert heavy <= allowed | _of_its_own(file), f"{file.relative_to(ROOT)} imports {sorted(heavy)} at import"


def _of_its_own(file: Path) -> set[str]:
    """A file that is itself loaded lazily by name may begin with its library; those that walk the package may not."""
    own = {"hf.py", "hf_session.py", "_generate.py", "tiny.py", "torch_engine.py", "torch_network.py"}
    return {"torch"} if file.name in own else set()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_is_too_long_to_read(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 500


def seconds(code: str, *arguments: str, runs: int = 5) -> float:
    """Median processor seconds that Python takes for this: on a free machine the wall clock says the same."""
    return median(_once(code, *arguments) for _ in range(runs))


def _once(code: str, *arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def test_import_takes_less_than_150_milliseconds() -> None:
    assert seconds("import nosce") < 0.150


def test_the_engine_runs_without_torch() -> None:
    code = "import nosce.mind.engine, nosce.core.registry as r, sys; list(r.registry); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"torch", "transformers", "sklearn", "altair", "pandas"}


def test_help_takes_less_than_400_milliseconds() -> None:
    assert seconds("from nosce.cli.app import main; main()", "--help") < 0.400
