"""A wording that is the mechanism: emotion, re-reading, a persona, If-or-Else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from nosce.core.errors import CapabilityError


@dataclass(frozen=True, slots=True)
class Cue:
    """A named, versioned wording with one rendering per dialect.

    A rendering is a template over `{question}` (and `{answer}` where there is one); it takes the place of the dialect's
    own wording for that act. A dialect without a rendering refuses the cue.
    """

    name: str
    version: int
    renderings: Mapping[str, str] = field(default_factory=dict)

    def on(self, dialect: str, model: str = "") -> str:
        """The rendering for a dialect. Raises CapabilityError (naming `model`, where given) when there is none."""
        if dialect not in self.renderings:
            serve = [f"a model of the {name} dialect" for name in sorted(self.renderings)]
            raise CapabilityError(f"cue {self.name} v{self.version}", model or f"the {dialect} dialect", serve)
        return self.renderings[dialect]

    def filled(self, **blanks: str) -> Cue:
        """The cue with blanks of its own (`{name}` each) filled in; the question's stays."""
        wordings = dict(self.renderings)
        for name, text in blanks.items():
            wordings = {dialect: wording.replace(f"{{{name}}}", text) for dialect, wording in wordings.items()}
        return replace(self, renderings=wordings)
