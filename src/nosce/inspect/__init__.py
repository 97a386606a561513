"""Nosce inside Inspect AI: measures of self-knowledge, strategies as solvers, batteries as tasks, our models as a provider.

Installed with `pip install 'nosce[inspect]'`; Inspect finds it by itself, so names work on its command line:

    inspect eval nosce/questions -T data=labelled.jsonl -T strategy=self-consistency --model nosce/socrates
    inspect eval nosce/battery -T name=metacognitive-monitoring-battery --model openai/gpt-x
    inspect score logs/some.eval --scorer nosce/confident

Conventions: a confidence in [0, 1] stands in `Score.metadata["confidence"]`; a question that was not answered scores `NOANSWER`,
with the grade of what was withheld in `Score.metadata["graded"]`. `nosce score LOG` reads the same.
"""

from nosce.core.errors import CapabilityError

try:
    from nosce.inspect._metrics import aurc, auroc2, brier, coverage, e_aurc, ece, log_score, prr, selective_accuracy, smooth_ece
    from nosce.inspect._model import InspectModel, NosceAPI
    from nosce.inspect._scorers import confident, with_confidence
    from nosce.inspect._solvers import strategy
    from nosce.inspect._tasks import battery, questions, task_of
except ImportError as error:
    if not (error.name or "").startswith("inspect_ai"):
        raise
    raise CapabilityError("library inspect_ai", "nosce.inspect", "pip install 'nosce[inspect]'") from None

__all__ = [
    "InspectModel", "NosceAPI", "aurc", "auroc2", "battery", "brier", "confident", "coverage", "e_aurc", "ece", "log_score", "prr",
    "questions", "selective_accuracy", "smooth_ece", "strategy", "task_of", "with_confidence",
]  # fmt: skip
