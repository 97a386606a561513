'''Batteries: a model in, a profile out.

A battery is one registered system that puts items to a model and measures what comes back. To add one, write one file in
`systems/<family>/` that imports only from layers below (`core`, `metrics`, `tasks`, `mind`, `monitor`, `reflect`, `control`):

```python
"""S000 Name: what is asked, in one line."""

from nosce.core.battery import Item, Measure, Row, Source, share
from nosce.core.claim import Claim
from nosce.core.registry import battery

CLAIM = Claim(statement="… lies above ….", endpoint="gap", baseline="what the reference is", n=200, seeds=(0, 1), taught=False)

def items(n: int, seed: int, source: Source) -> list[Item]:      # the same for the same arguments; ids unique
    problems = draw_problems(n=n, seed=seed) if source == "bundled" else words(n, seed)
    return [Item(problem, {"condition": i % 2}) for i, problem in enumerate(problems)]

MEASURES = (
    Measure("gap", "what people read", "bears", ("calm", "pressed"), mean_difference, "lower", 0.0, "no pressure", "points"),
)

@battery("S000", "slug", items=items, measures=MEASURES, claim=CLAIM, acts={"think", "choose|rate"})
async def name(problem: Problem, mind: Mind, *, condition: int = 0) -> Row:   # `Item.given` comes in as keywords
    """What is asked of the model?  … Rule … Source: S000 "Exact Title". …"""
    return {"calm": True, "pressed": False, "said": "words are kept to be read"}
```

- **Items.** `source` is "bundled" for the bundled model (and for a model that is compared with it), "general" for the rest. A
  battery that has no honest items for one of them raises InputError there, saying so. Every item gets its own Mind; its
  problem's id seeds its draws. Problems with the same id, text and seed share draws across batteries: the first thought is
  sampled once, and charged to each.
- **Rows.** A dict, or a list of dicts for an item with several observations. None where something was not said. Numbers and
  truths are measured; texts are kept in `rows/<slug>.jsonl`. Errors, budget, cost, trace id, item, family and level are added
  by the room. An act that the model may not have is named in `acts`; such a model is refused before a token is spent, and the
  page says so.
- **Measures** (see `nosce.core.battery.Measure`). Columns in, a float out, and no interval of your own: the room draws items
  again. Rows that lack one of the `columns` are left out. InputError or NaN: not defined, and the page says why.
  `front=True` puts a figure on the page itself (one to three a battery); the rest stands folded under it.
  `remarks=function(rows) -> list[str]` adds sentences (a validity verdict, a profile's name).
- **The claim.** `nosce prove` sits the battery once per seed with `claim.n` items and holds the measure named by `endpoint`
  against its `reference`: seen when the whole interval lies above reference + margin. So name a measure in the direction that
  the paper claims. `claim.options` are keywords of `items`. A claim that is no single measure registers `experiment=` instead, as
  other systems do.
- **Shared mechanics** belong below: `monitor.asking` (keep, bet, pass: a model without words is really asked by an act; free words
  and chances under a wording), `reflect.second_look` (looking again; a text as its own or another's), and the question makers of
  `tasks`: `bundled`, and for models that read words `forced_choice`, `plain_words`, `worded` (with steps), `planted` (with one
  error), `boundaries` (unknown, unclear, flawed). A call that is repeated on one prompt within an item is awaited in turn, so that
  draws keep their order.
- **Tests.** `tests/batteries` sits every registered battery on the bundled and on the scripted chat model; write beside it the
  known answer of your mechanism: scripted replies in, the figure computed by hand out.
'''

from nosce.batteries.findings import difference, findings
from nosce.batteries.sitting import Sitting, batteries, sit, sitting, source_of

__all__ = ["Sitting", "batteries", "difference", "findings", "sit", "sitting", "source_of"]
