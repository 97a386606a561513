"""What docs/recipes.md shows, works: a recipe written from outside the package, in a process of its own."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"
CHECK = """
from types import SimpleNamespace as R
from nosce.learn.plan import chosen
from nosce.learn.rewards import settle
from nosce.learn.rollout import Rollout, Turn

def tried(tokens, outcome):
    return Rollout(nosce.Problem("p", "1+1", reference="2"), [Turn((1,), tuple(range(tokens)))], outcome=outcome)

_, recipe, settings = chosen("thrift", {"price": 0.5, "batch": 3})
group = [tried(10, 1.0), tried(30, 1.0), tried(5, 0.0)]
settle(group, recipe.reward(group, None), recipe.weights)
assert [r.reward for r in group] == [1.25, 0.75, 0.0], [r.reward for r in group]
assert settings.batch == 3
assert len(log) == 2 and log[0]["rollouts"] == 32
print("the example works")
"""


def test_the_recipe_of_the_page_trains_and_pays_what_it_says(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    code = f"{blocks[0]}\n{blocks[1]}\n{CHECK}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200, cwd=tmp_path, check=False)
    assert "the example works" in done.stdout, done.stderr
    assert (tmp_path / "runs" / "thrift" / "model" / "model.safetensors").exists()
