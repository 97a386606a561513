"""Models both ways: Inspect's model as one of ours, and ours as a provider of Inspect (`nosce/socrates`, `nosce/hf:NAME`)."""

from __future__ import annotations

import asyncio
from typing import Any

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    Logprob,
    Logprobs,
    Model,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    TopLogprob,
    modelapi,
)  # fmt: skip

from nosce.core.errors import ModelError, OutOfScope
from nosce.core.problem import Message, Problem
from nosce.core.streams import stream_key
from nosce.mind.dialects import dialect_of
from nosce.mind.dialects.base import Given
from nosce.models.base import Capabilities, Prompt, Request, Sample
from nosce.models.load import load

SEEDS = 2**31
ROLES = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}


class InspectModel:
    """The model that an evaluation was started with, as a model of ours: its calls stand in Inspect's log and keep its limits.

    `logprobs` says that the provider gives log-probabilities; they are asked for only then. A model that is one of ours behind
    Inspect (`nosce/…`) keeps its dialect.
    """

    remote = True

    def __init__(self, model: Model, *, logprobs: bool | None = None, context: int = 8192) -> None:
        own = getattr(model.api, "own", None)
        self._model, self.spec, self.version = model, f"inspect:{model}", getattr(own, "version", str(model))
        self.dialect = getattr(own, "dialect", "chat")
        self.context = getattr(own, "context", context)
        given = logprobs if logprobs is not None else own is not None and own.capabilities.logprobs
        self.capabilities = Capabilities(logprobs=given, top=20 if given else 0, seed=True)
        self._count = own.count if own is not None else _estimated

    async def sample(self, request: Request) -> list[Sample]:
        """One call a sample, each with a seed of its own."""
        return list(await asyncio.gather(*(self._one(request, key) for key in request.keys)))

    async def _one(self, request: Request, key: int) -> Sample:
        asked = GenerateConfig(
            max_tokens=request.max_tokens, temperature=request.temperature, top_p=request.top_p, seed=key % SEEDS,
            stop_seqs=list(request.stop) or None, logprobs=self.capabilities.logprobs or None,
            top_logprobs=request.top or None if self.capabilities.logprobs else None,
        )  # fmt: skip
        output = await self._model.generate(_messages(request.prompt), config=asked)
        if output.error or not output.choices:
            raise ModelError(f"{self.spec}: {output.error or 'the provider returned no choice'}")
        return self._read(output, request)

    def _read(self, output: ModelOutput, request: Request) -> Sample:
        choice, usage = output.choices[0], output.usage
        content = choice.logprobs.content if choice.logprobs else None
        top = tuple(tuple((t.token, t.logprob) for t in p.top_logprobs or ()) for p in content) if content and request.top else None
        prompt = usage.input_tokens if usage else self.count(request.prompt)
        spent = usage.output_tokens if usage else len(choice.message.text) // 4 + 1
        finish = "length" if choice.stop_reason == "max_tokens" else "stop"
        logprobs = tuple(p.logprob for p in content) if content else None
        return Sample(choice.message.text, finish, (), logprobs, None, top, prompt_tokens=prompt, completion_tokens=spent)

    def count(self, prompt: Prompt) -> int:
        """Tokens of the prompt: exact for a model of ours, an upper estimate else."""
        return int(self._count(prompt))

    async def close(self) -> None:
        """Inspect closes its own models."""


def _estimated(prompt: Prompt) -> int:
    said = "".join(message.content for message in prompt.messages) + prompt.text + prompt.prefix
    return len(said) // 2 + 8 * (len(prompt.messages) + 1)


def _messages(prompt: Prompt) -> list[ChatMessage]:
    if not prompt.messages:
        return [ChatMessageUser(content=prompt.text)]
    said = [ROLES.get(m.role, ChatMessageUser)(content=m.content) for m in prompt.messages]
    return [*said, ChatMessageAssistant(content=prompt.prefix)] if prompt.prefix else [*said]


class NosceAPI(ModelAPI):
    """Any model that `nosce` can load, as a provider. The bundled model reads the last turn as a question of its own grammar.

    What it thinks is the reply, and its last line is `ANSWER: …`; a question outside its grammar gets the reply that it cannot be
    read. A turn that is already a row of its own tokens (`<q> …`) is sampled as it is: so a strategy of ours drives it.
    """

    def __init__(
        self, model_name: str, base_url: str | None = None, api_key: str | None = None, config: GenerateConfig | None = None,
        own: Any = None, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(model_name, base_url, api_key, [], config or GenerateConfig())
        self.own = own if own is not None else load(model_name, **options)

    async def generate(self, input: list[ChatMessage], tools: Any, tool_choice: Any, config: GenerateConfig) -> ModelOutput:
        """`num_choices` samples (one by default), with log-probabilities where asked for and given."""
        prompt, act = self._prompt(input)
        if prompt is None:
            return ModelOutput.from_content(self.model_name, "I cannot read this question.\nANSWER: unknown")
        keys = tuple(stream_key(config.seed or 0, i) for i in range(config.num_choices or 1))
        request = Request(
            prompt, keys, config.max_tokens or 256, 0.7 if config.temperature is None else config.temperature,
            config.top_p or 1.0, tuple(config.stop_seqs or self._stop(act)), config.top_logprobs or 0,
        )  # fmt: skip
        samples = await self.own.sample(request)
        choices = [self._choice(sample, act, bool(config.logprobs)) for sample in samples]
        spent = sum(sample.completion_tokens for sample in samples)
        read = samples[0].prompt_tokens or self.own.count(prompt)
        usage = ModelUsage(input_tokens=read, output_tokens=spent, total_tokens=read + spent)
        return ModelOutput(model=self.model_name, choices=choices, usage=usage)

    def _prompt(self, input: list[ChatMessage]) -> tuple[Prompt | None, str]:
        """What to sample from, and whether it is a thought whose answer is to be spelt out."""
        last = input[-1].text
        if not self.own.dialect.startswith("socrates"):
            said = [m for m in input if m.role in ROLES]
            prefix = said.pop().text if said and said[-1].role == "assistant" else ""
            return Prompt(tuple(Message(m.role, m.text) for m in said), prefix=prefix), "raw"
        if last.lstrip().startswith("<q>"):
            return Prompt(text=last), "raw"
        try:
            return dialect_of(self.own).render("think", Problem("inspect", last.strip()), Given()).prompt, "think"
        except OutOfScope:
            return None, "think"

    def _stop(self, act: str) -> tuple[str, ...]:
        return ("<end>", "<result>") if self.own.dialect.startswith("socrates") else ()

    def _choice(self, sample: Sample, act: str, logprobs: bool) -> ChatCompletionChoice:
        text = sample.text
        if act == "think":
            answer = dialect_of(self.own).read("think", sample, Problem("inspect", ""), Given())
            text = f"{text.strip()}\nANSWER: {answer or 'unknown'}"
        content = _logprobs(sample) if logprobs and sample.logprobs is not None else None
        message = ChatMessageAssistant(content=text, model=self.model_name, source="generate")
        reason: Any = "max_tokens" if sample.finish == "length" else "stop"
        return ChatCompletionChoice(message=message, stop_reason=reason, logprobs=content)

    async def count_text_tokens(self, text: str) -> int:
        """The model's own count; no tokenizer is fetched."""
        try:
            return int(self.own.count(Prompt(text=text)))
        except (ValueError, ModelError):  # words that the bundled model does not know
            return len(text.split())

    async def aclose(self) -> None:
        """Release the model."""
        await self.own.close()


def _logprobs(sample: Sample) -> Logprobs:
    tops = sample.top or [()] * len(sample.logprobs or ())
    rows = zip(sample.logprobs or (), tops, strict=False)
    return Logprobs(content=[
        Logprob(token="", logprob=lp, top_logprobs=[TopLogprob(token=t, logprob=p) for t, p in top] or None) for lp, top in rows
    ])  # fmt: skip


@modelapi(name="nosce")
def nosce_models() -> type[ModelAPI]:
    """The provider `nosce`: `nosce/socrates`, `nosce/hf:NAME`, `nosce/openai:MODEL@URL`."""
    return NosceAPI
