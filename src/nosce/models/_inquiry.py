"""The questions of a probe: each has an answer that only a server which really does the thing can give."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

from nosce.core.errors import ModelError
from nosce.core.streams import fingerprint
from nosce.models import _choices, _estimate
from nosce.models._endpoint import Endpoint, Patience
from nosce.models.base import Capabilities
from nosce.models.openai import UNFILTERED, OpenAIModel, Prefill, echoed, go_on
from nosce.models.probe import Feature, Probe

QUESTION = "Count from 1 to 30, then say a random word."
RAW = "1 2 3 4 5 6 7"
TAUGHT = "<q> make 61 from 3 5 7 9 2 <think>"
"""What the bundled model reads, where it is what is served."""

LONG = 24
"""Tokens asked for where different draws should come out different."""

OPEN = "Write five random words, then a random number of six digits."
"""What no two draws should answer alike."""

Verdict = tuple[bool, str]


class Inquiry:
    """Asks one server about 25 short questions. Chat is asked where the server chats, else raw completion."""

    def __init__(self, model: OpenAIModel) -> None:
        held, patience = model.endpoint, model.endpoint.patience
        brief = Patience(min(patience.timeout, 30), min(patience.deadline, 60), min(patience.retries, 2), patience.base)
        self.model, self.endpoint = model, Endpoint(held.url, held.key, brief, held.concurrency, held.headers)
        self.raw = TAUGHT if model.dialect.startswith("socrates") else RAW
        self.chats, self.calls = False, 0
        self.top, self.context, self.server = 0, 0, ""
        self.prefill: Prefill = ""
        self.echoes, self.most, self.counts_all = False, 1, True
        self.features: list[Feature] = []

    async def run(self) -> Probe:
        """Every question, the basic ones first. Raises ModelError when the server answers neither chat nor completion."""
        try:
            await self._models()
            chat, completions = await self._both()
            self.chats = chat.seen and not self.model.dialect.startswith("socrates")
            self.features += [chat, completions]
            if not chat.seen and not completions.seen:
                why = f"answers neither chat ({chat.evidence}) nor completion ({completions.evidence})"
                raise ModelError(f"{self.endpoint.shown}: {why}")
            rest = ("usage", "sampling", "n", "logprobs", "seed", "stop", "continuation", "streaming", "score", "unfiltered")
            self.features += await asyncio.gather(*(self._feature(name) for name in rest))
        finally:
            await self.endpoint.close()
        return self._probe(completions.seen)

    def _probe(self, completions: bool) -> Probe:
        seen = {f.name: f.seen for f in self.features}
        names = ("sampling", "n", "logprobs", "seed", "stop", "streaming", "usage", "score")
        able = Capabilities(**{name: seen[name] for name in names}, top=self.top if seen["logprobs"] else 0)
        able = replace(able, continuation=seen["continuation"])
        return Probe(
            self.model.spec, tuple(self.features), able.top, self.prefill, self.echoes, self.most, self.counts_all,
            self.context, self.server, time.time(), self.calls, able,
        )  # fmt: skip

    async def _both(self) -> tuple[Feature, Feature]:
        was, self.chats = self.chats, True
        chat = await self._feature("chat")
        self.chats = False
        completions = await self._feature("completions")
        self.chats = was
        return chat, completions

    async def _feature(self, name: str) -> Feature:
        try:
            seen, evidence = await getattr(self, f"_{name}")()
        except ModelError as error:
            seen, evidence = False, str(error).removeprefix(f"{self.endpoint.shown}: ")
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            seen, evidence = False, f"an answer that cannot be read: {self.endpoint.redact(str(error))}"
        return Feature(name, seen, evidence)

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.calls += 1
        return await self.endpoint.post(path, {"model": self.model.model, **body})

    def _body(self, most: int, temperature: float = 0.0, **more: Any) -> tuple[str, dict[str, Any]]:
        body = {"max_tokens": most, "temperature": temperature, **more}
        if self.chats:
            return "/chat/completions", {"messages": [{"role": "user", "content": QUESTION}], **body}
        return "/completions", {"prompt": self.raw, **body}

    async def _ask(self, most: int, temperature: float = 0.0, **more: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        data = await self._post(*self._body(most, temperature, **more))
        return _choices.choices_of(data), data

    async def _text(self, most: int, temperature: float = 0.0, **more: Any) -> str:
        return _choices.text_of((await self._ask(most, temperature, **more))[0][0])

    async def _models(self) -> None:
        """The context length and how the server calls itself, where it says."""
        try:
            listed = (await self.endpoint.get("/models")).get("data")
        except ModelError:
            return
        known = [m for m in listed if isinstance(m, dict)] if isinstance(listed, list) else []
        named = [m for m in known if m.get("id") == self.model.model] or (known if len(known) == 1 else [])
        for entry in named[:1]:
            told = entry.get("meta")
            meta = told if isinstance(told, dict) else {}
            sizes = [entry.get("max_model_len"), entry.get("context_length"), meta.get("n_ctx"), meta.get("n_ctx_train")]
            self.context = next((s for s in sizes if isinstance(s, int) and s > 0), 0)
            self.server = fingerprint(entry.get("id"), entry.get("owned_by"), sorted(meta.items()), size=6)

    async def _chat(self) -> Verdict:
        text = await self._text(8)
        return True, f"answers {text[:30]!r}"

    async def _completions(self) -> Verdict:
        text = await self._text(8)
        return bool(text), f"goes on with {text[:30]!r}" if text else "an empty completion"

    async def _usage(self) -> Verdict:
        """Counts are there, grow with the prompt, and do not exceed what was allowed."""
        _, data = await self._ask(6)
        prompt, completion = _choices.usage_of(data)
        path, body = self._body(6)
        longer = QUESTION * 3 if self.chats else f"{self.raw} {self.raw}"
        body |= {"messages": [{"role": "user", "content": longer}]} if self.chats else {"prompt": longer}
        more, _ = _choices.usage_of(await self._post(path, body))
        if prompt is None or completion is None or more is None:
            return False, "no token counts"
        shown = f"{prompt} prompt tokens ({more} for a longer one), {completion} of at most 6 completion tokens"
        likely = _estimate.tokens_of(QUESTION if self.chats else self.raw) * 8 + 2000
        return prompt < more and prompt <= likely and 1 <= completion <= 8, shown

    async def _sampling(self) -> Verdict:
        """Count at a temperature come out different."""
        texts = await asyncio.gather(*(self._drawn(temperature) for temperature in (1.0, 1.6, 1.6)))
        if len(set(texts)) > 1:
            return True, f"{len(set(texts))} texts in 3 draws"
        return False, "3 draws at temperatures 1 and 1.6, all alike: the server may be decoding greedily"

    async def _drawn(self, temperature: float) -> str:
        path, body = self._body(LONG, temperature)
        asked = {"messages": [{"role": "user", "content": OPEN}]} if self.chats else {} if self.raw == TAUGHT else {"prompt": OPEN}
        return _choices.text_of(_choices.choices_of(await self._post(path, body | asked))[0])

    async def _n(self) -> Verdict:
        """Several different choices in one call; how many at most, and whether the usage counts them all."""
        reason = ""
        for n in (16, 8, 4, 2):
            try:
                texts, total = await self._choices(n)
            except ModelError as error:
                reason = str(error).removeprefix(f"{self.endpoint.shown}: ")
                continue
            if len(texts) == n and len(set(texts)) > 1:
                self.most, self.counts_all = n, (total or 0) > LONG
                counted = "all" if self.counts_all else "not all"
                return True, f"{n} choices in one call, {len(set(texts))} different; completion tokens of {counted} are counted"
            reason = f"{len(texts)} choices for n={n}, {len(set(texts))} different"
        return False, reason

    async def _choices(self, n: int) -> tuple[list[str], int | None]:
        for temperature in (1.0, 1.6):
            choices, data = await self._ask(LONG, temperature, n=n, seed=5)
            texts = [_choices.text_of(c) for c in choices]
            if len(set(texts)) > 1 or len(texts) < n:
                break
        return texts, _choices.usage_of(data)[1]

    async def _unfiltered(self) -> Verdict:
        """Whether the server takes the names that switch its own filters off."""
        await self._ask(4, 1.0, **UNFILTERED)
        return True, f"{' and '.join(f'{k}={v}' for k, v in UNFILTERED.items())} accepted"

    async def _logprobs(self) -> Verdict:
        """Believable numbers, a distribution that adds up to at most 1, at temperature 1 whatever temperature was used."""
        for top in (20, 10, 5, 2, 1, 0):
            try:
                choice = await self._with_logprobs(6, 0.0, top)
            except ModelError as error:
                reason = str(error)
                continue
            if verdict := self._nonsense(choice):
                return False, verdict
            tokens = _choices.tokens_of(choice)
            self.top = min((len(t.top or ()) for t in tokens), default=0)
            gap = await self._gap(max(top, 1))
            if gap > 0.1:
                return False, f"changes with the temperature (by {gap:.2f} nats on average)"
            return True, f"{len(tokens)} tokens, the first {tokens[0].logprob:.3f}; {self.top} of {top} alternatives asked for"
        return False, reason

    async def _with_logprobs(self, most: int, temperature: float, top: int) -> dict[str, Any]:
        wanted = {"logprobs": True, **({"top_logprobs": top} if top else {})} if self.chats else {"logprobs": max(top, 1)}
        return (await self._ask(most, temperature, **wanted))[0][0]

    @staticmethod
    def _nonsense(choice: dict[str, Any]) -> str:
        tokens, text = _choices.tokens_of(choice), _choices.text_of(choice)
        if not tokens:
            return "asked for, none came"
        if not _choices.believable(tokens, text):
            held = choice["logprobs"].get("content") or choice["logprobs"].get("token_logprobs")
            return f"nonsense: {str(held)[:80]}"
        mass = max((sum(math.exp(v) for _, v in t.top or ()) for t in tokens), default=0.0)
        return f"alternatives add up to a probability of {mass:.2f}" if mass > 1.01 else ""

    async def _gap(self, top: int) -> float:
        """Mean difference in nats between the first token's alternatives at temperatures 0.4 and 1."""
        cool, warm = [dict(_first(await self._with_logprobs(1, t, top))) for t in (0.4, 1.0)]
        shared = [abs(cool[k] - warm[k]) for k in cool.keys() & warm.keys()]
        return sum(shared) / len(shared) if shared else 0.0

    async def _seed(self) -> Verdict:
        """The same seed gives the same text twice, and different seeds different texts."""
        for temperature in (1.0, 1.6):
            seeds = (1, 1, 1, 2, 3, 4)
            texts = [await self._text(LONG, temperature, seed=seed) for seed in seeds]
            if len(set(texts[:3])) > 1:
                return False, f"the same seed gave {len(set(texts[:3]))} different texts"
            if len(set(texts[2:])) > 1:
                return True, f"three times the same text with seed 1, {len(set(texts[2:]))} texts with 4 seeds"
        return False, "unclear: every seed gave the same text"

    async def _stop(self) -> Verdict:
        whole = (await self._text(16)).rstrip()
        marks = [mark for i in range(2, len(whole) - 1) if whole.find(mark := whole[i : i + 2]) > 1 and not set(mark) & set(" \n")]
        if not marks:
            return False, f"unclear: nowhere to stop in {whole!r}"
        mark = marks[len(marks) // 2]
        text = await self._text(16, stop=[mark])
        return text.rstrip() == whole[: whole.find(mark)].rstrip(), f"stop={mark!r} turned {whole[:24]!r} into {text[:24]!r}"

    async def _continuation(self) -> Verdict:
        """Greedy text cut in two: going on from the first half must give the second."""
        raw = any(f.name == "completions" and f.seen for f in self.features)
        if not self.chats:
            return raw, "raw completion goes on by its nature"
        tried = []
        for first, total in ((6, 12), (9, 18)):
            begin, whole = (await self._text(first)).rstrip(), (await self._text(total)).rstrip()
            rest = whole[len(begin) :].strip()
            if not (begin and rest and whole.startswith(begin)) or whole.startswith(rest):
                tried.append(f"unclear: {whole[:24]!r}")
                continue
            for how in get_args(Prefill)[1:]:
                said = await self._went_on(begin, total - first, how)
                tried.append(f"{how}: {said[:24]!r}")
                self.echoes = said.startswith(begin) and not rest.startswith(begin)
                if _same_start(said.removeprefix(begin) if self.echoes else said, rest):
                    self.prefill = how
                    return True, f"{how}: went on from {begin[-16:]!r} with {rest[:16]!r}"
        self.echoes = False
        return False, f"did not go on from a given beginning ({'; '.join(tried)})"

    async def _went_on(self, begin: str, most: int, how: Prefill) -> str:
        path, body = self._body(most)
        try:
            data = await self._post(path, body | go_on(body["messages"], begin, how))
            return _choices.text_of(_choices.choices_of(data)[0])
        except (ModelError, ValueError) as error:
            return f"({str(error)[-40:]})"

    async def _streaming(self) -> Verdict:
        path, body = self._body(8)
        self.calls += 1
        events = await self.endpoint.stream(path, {"model": self.model.model, **body, "stream": True})
        chunks = [line[5:].strip() for line in events.splitlines() if line.startswith("data:")]
        parsed = [json.loads(c) for c in chunks if c.startswith("{")]
        return len(parsed) > 1, f"{len(parsed)} chunks"

    async def _score(self) -> Verdict:
        """The prompt comes back with log-probabilities, and they depend on the text."""
        start, options = self.raw, (" 8", " 99")
        if self.raw == TAUGHT:
            options = (" <s1>", " <no>")
        scores = []
        for option in options:
            body = {"prompt": start + option, "max_tokens": 1, "logprobs": 1, "echo": True, "temperature": 0}
            scores.append(echoed(await self._post("/completions", body), start, option))
        shown = " and ".join(f"{o!r} {s:.2f}" for o, s in zip(options, scores, strict=True))
        return scores[0] != scores[1], shown


def _first(choice: dict[str, Any]) -> Sequence[tuple[str, float]]:
    tokens = _choices.tokens_of(choice)
    return (tokens[0].top or ()) if tokens else ()


def _same_start(said: str, rest: str) -> bool:
    """Whether the two texts agree as far as the shorter one goes, and that is more than a character or two."""
    said = said.strip()
    least = min(len(said), len(rest))
    return least > 0 and least >= min(3, len(rest)) and said[:least] == rest[:least]
