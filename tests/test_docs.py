"""What the documentation shows, works: the strategy written from outside the package, in a process of its own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHECK = """
import asyncio
from nosce.models.base import Capabilities, Sample
from nosce.models.replay import ReplayModel
said = Sample("Answer: 4", prompt_tokens=9, completion_tokens=3)
model = ReplayModel.of(lambda prompt, key: said, capabilities=Capabilities(n=True))
engine = nosce.Engine({"main": model})
solved = asyncio.run(engine.solve(nosce.Problem("p", "2+2", reference="4"), nosce.registry.find("two-of-three"), {"n": 5}))
assert (solved.answer.value, solved.answer.confidence, solved.answer.outcome) == ("4", 1.0, "answered"), solved.answer
assert solved.answer.cost.completion_tokens == 15
print("the example works")
"""


@pytest.mark.parametrize("page", ["README.md", "docs/design.md"])
def test_the_strategy_of_the_docs_runs(page: str) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.S)
    example = next(block for block in blocks if "two_of_three" in block)
    code = f"import nosce\n{example}\n{CHECK}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "the example works" in done.stdout, done.stderr
