"""What was sampled once is served again, and nothing else."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from nosce.core.errors import InputError, ModelError
from nosce.core.problem import Message
from nosce.core.trace import Trace
from nosce.models.base import Model, Prompt, Request, Sample, Scorer
from nosce.models.replay import ReplayModel

ASK = Prompt((Message("user", "2+2?"),))
FOUR = Sample("4", logprobs=(-0.1, -0.2), top=((("4", -0.1),), (("<end>", -0.2),)), prompt_tokens=9, completion_tokens=2)
FIVE = Sample("5", logprobs=(-3.0,), prompt_tokens=9, completion_tokens=1)


def trace() -> Trace:
    made = Trace("t", "p")
    for key, sample in ((11, FOUR), (12, FIVE)):
        made.add("sampled", {"prompt": ASK.key, "key": key, "sample": asdict(sample), "act": "think"})
    made.add("measured", {"prompt": ASK.key, "scores": {"yes": -0.5, "no": -0.9}})
    made.add("decided", {"reason": "enough"})
    return Trace.from_json(made.to_json())


def test_a_trace_becomes_a_model_that_repeats_it() -> None:
    model = ReplayModel.of_traces([trace()])
    assert isinstance(model, Model)
    assert isinstance(model, Scorer)
    assert asyncio.run(model.sample(Request(ASK, keys=(12, 11)))) == [FIVE, FOUR]
    assert asyncio.run(model.score(ASK, ["no", "yes"])) == [-0.9, -0.5]
    assert model.count(ASK) == 9
    assert model.capabilities.logprobs
    assert model.capabilities.provides >= {"logprobs", "continuation"}


def test_what_is_not_on_record_is_named() -> None:
    model = ReplayModel({(ASK.key, 11): FOUR})
    with pytest.raises(ModelError, match=r"draw 7 of prompt .*another draw of it is.*2\+2"):
        asyncio.run(model.sample(Request(ASK, keys=(7,))))
    with pytest.raises(ModelError, match=r"the prompt is new.*'3\+3'"):
        asyncio.run(model.sample(Request(Prompt(text="3+3"), keys=(11,))))
    with pytest.raises(ModelError, match="maybe"):
        asyncio.run(model.score(ASK, ["maybe"]))
    assert not ReplayModel({(ASK.key, 11): Sample("4")}).capabilities.logprobs


def test_a_draw_cut_by_one_budget_and_whole_under_another() -> None:
    whole, part = Sample("1 2 3", completion_tokens=3), Sample("1", "length", completion_tokens=1)
    model = ReplayModel({(ASK.key, 1): (part, whole)})
    for most, expected in ((1, part), (2, part), (3, whole), (99, whole)):
        assert asyncio.run(model.sample(Request(ASK, keys=(1,), max_tokens=most))) == [expected]


def test_files_of_traces_and_of_plain_samples(tmp_path: Path) -> None:
    traces, plain = tmp_path / "traces.jsonl", tmp_path / "plain.jsonl"
    traces.write_text(trace().to_json() + "\n\n")
    plain.write_text(json.dumps({"prompt_key": ASK.key, "key": 11, "sample": {"text": "4"}, "dialect": "socrates"}) + "\n")
    assert asyncio.run(ReplayModel.read(traces).sample(Request(ASK, keys=(11,)))) == [FOUR]
    model = ReplayModel.read(plain)
    assert asyncio.run(model.sample(Request(ASK, keys=(11,)))) == [Sample("4")]
    assert (model.dialect, model.spec) == ("socrates", f"replay:{plain}")


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "3", "{}", '{"prompt_key": "a"}', '{"prompt_key": "a", "key": "x", "sample": {"text": "4"}}',
     '{"prompt_key": "a", "key": 1, "sample": {"txt": "4"}}', '{"events": 3}'],
)  # fmt: skip
def test_bad_lines_are_named_by_number(tmp_path: Path, line: str) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text(trace().to_json() + "\n" + line + "\n")
    with pytest.raises(InputError, match="line 2"):
        ReplayModel.read(file)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "bytes"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot read"):
        ReplayModel.read(file)


def test_a_function_may_take_the_place_of_the_record() -> None:
    model = ReplayModel.of(lambda prompt, key: Sample(f"{prompt.text}{key % 3}"))
    assert [s.text for s in asyncio.run(model.sample(Request(Prompt(text="a"), keys=(1, 2, 3))))] == ["a1", "a2", "a0"]


def test_a_draw_is_a_lookup() -> None:
    """16,000 draws of 1,000 prompts under 20 microseconds each (median-free, generous: a lookup takes about 1)."""
    prompts = [Prompt((Message("user", f"question {i}"),)) for i in range(1000)]
    model = ReplayModel({(p.key, k): FOUR for p in prompts for k in range(16)})

    async def run() -> float:
        began = time.perf_counter()
        for prompt in prompts:
            await model.sample(Request(prompt, keys=tuple(range(16))))
        return (time.perf_counter() - began) / 16_000

    assert asyncio.run(run()) < 20e-6
