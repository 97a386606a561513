"""Approved lessons, ready to be searched, and which of them may be recalled together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nosce.memory.postings import Postings
from nosce.serve.lesson import Lesson, alike, asked, gist, numbers, within


@dataclass(frozen=True, slots=True)
class Shelf:
    """The undisputed lessons of a key and frame; `stamp` says of which decisions."""

    stamp: tuple[Any, ...]
    lessons: Sequence[Lesson]
    by_gist: Mapping[str, Sequence[Lesson]]
    index: Postings

    @classmethod
    def of(cls, stamp: tuple[Any, ...], lessons: Sequence[Lesson]) -> Shelf:
        """Leave out what is disputed and index the rest by its questions."""
        kept = undisputed(lessons)
        return cls(stamp, kept, _by_gist(kept), Postings([lesson.question for lesson in kept]))

    def nearest(self, question: str, most: int, near: float) -> list[Lesson]:
        """The lessons of the same question, its own wording first, then those of questions at least `near` to it.

        Their numbers must be the same, and one of both must say no more than the other: where each has a word of its own
        (`home of Tom`, `color of Tom`) they are two questions, however alike, and the answer to one misleads about the other.
        """
        wording, about = asked(question), gist(question)
        same = sorted(self.by_gist.get(about, ()), key=lambda lesson: asked(lesson.question) != wording)
        found = (self.lessons[place] for place, _ in self.index.nearest(question, 4 * most, near))
        others = [
            lesson for lesson in found
            if lesson not in same and numbers(lesson.question) == numbers(question) and within(gist(lesson.question), about)
        ]  # fmt: skip
        return [*same, *others][:most]


def undisputed(lessons: Sequence[Lesson]) -> list[Lesson]:
    """The lessons whose gist has no rival: where answers differ, those that most people vouch for; none of them in a tie.

    So whoever slips a lesson past one pair of eyes gains nothing where another was found right, in whatever words.
    """
    winners = {lesson.id for rivals in _by_gist(lessons).values() for lesson in _strongest(rivals)}
    return [lesson for lesson in lessons if lesson.id in winners]


def _by_gist(lessons: Sequence[Lesson]) -> dict[str, list[Lesson]]:
    found: dict[str, list[Lesson]] = {}
    for lesson in lessons:
        found.setdefault(lesson.gist or gist(lesson.question), []).append(lesson)
    return found


def _strongest(rivals: Sequence[Lesson]) -> Sequence[Lesson]:
    camps: list[list[Lesson]] = []
    for lesson in rivals:
        camp = next((camp for camp in camps if alike(camp[0].text, lesson.text)), None)
        camps.append([lesson]) if camp is None else camp.append(lesson)
    weighed = sorted(((sum(lesson.vouchers for lesson in camp), camp) for camp in camps), key=lambda pair: -pair[0])
    return [] if len(weighed) > 1 and weighed[0][0] == weighed[1][0] else weighed[0][1]
