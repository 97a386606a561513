"""Two domains: right solutions as ever, wrong ones under their mark."""

from nosce.core.registry import registry
from nosce.learn.context import Context
from nosce.learn.recipe import Settings
from nosce.learn.tiny import TinyEngine
from nosce.mind.dialects.socrates import answer
from nosce.systems.reflect.mistake_tuning import both_domains
from nosce.tasks.bundled import draw_problems
from nosce.tasks.families import parse
from nosce.tasks.families._judge import judge


def test_every_question_is_told_rightly_and_wrongly_each_under_its_mark() -> None:
    engine = TinyEngine("socrates-weak")
    problems = draw_problems(["arithmetic", "lists", "logic"], [2, 3], 12, part="train")
    context = Context(engine, problems, Settings(batch=3, group=4))
    turns = both_domains([], context)
    by_mark: dict[bool, list[str]] = {True: [], False: []}
    asked = {problem.text: problem for problem in problems}
    for turn in turns:
        prompt = engine.model.tokenizer.decode(list(turn.prompt))
        marked = prompt.startswith("<bad>")
        question = prompt.partition("<q> ")[2].partition(" <think>")[0]
        item = parse(question)
        assert item is not None
        problem = asked[item.question]
        assert problem.check(answer(turn.text)) == float(not marked)
        if marked:
            steps = [step.strip() for step in turn.text.partition(" <ans>")[0].split("<s")[1:]]
            assert judge(item, [step.partition("> ")[2] for step in steps], str(answer(turn.text))).fault is not None
        by_mark[marked].append(question)
    assert len(by_mark[False]) == 12
    assert set(by_mark[True]) <= set(by_mark[False])
    assert len(by_mark[True]) >= 9
    assert all((turn.ce == 1).all() for turn in turns)


def test_the_same_step_of_the_same_seed_tells_the_same_and_another_step_other_mistakes() -> None:
    engine, problems = TinyEngine("socrates-weak"), draw_problems(["arithmetic"], [3], 8, part="train")

    def told(seed: int, step: int) -> list[str]:
        context = Context(engine, problems, Settings(batch=2, group=4), seed=seed, step=step)
        return sorted(turn.text for turn in both_domains([], context))

    assert told(0, 0) == told(0, 0)
    assert told(0, 0) != told(0, 1)


def test_it_is_found_beside_the_strategy_of_the_same_system() -> None:
    assert registry.find("S118/mistake-tuning").kind == "recipe"
    assert registry.find("coterrorset").kind == "strategy"
    assert registry.find("coterrorset", "recipe").part == "mistake-tuning"
