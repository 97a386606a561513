"""Bad input: one line that says what to do, exit code 2, nothing written, no token spent."""

from collections.abc import Callable
from pathlib import Path

import pytest

from nosce.models.socrates.model import SocratesModel

M = ("--model", "socrates-tiny/")
Q = "questions.jsonl"

CASES = {
    "missing file": (("solve", "nope.jsonl", *M), ["nope.jsonl", "no such file"]),
    "empty file": (("solve", "empty.jsonl", *M), ["empty.jsonl", "no questions"]),
    "wrong line": (("solve", "wrong.jsonl", *M), ["line 2", "not JSON"]),
    "unknown column": (("solve", "columns.csv", *M), ["question", "x, y"]),
    "unknown field": (("solve", Q, "--column", "questio=x", *M), ["'questio'", "did you mean question"]),
    "column without a name": (("solve", Q, "--column", "question", *M), ["--column", "NAME=VALUE"]),
    "unknown strategy": (("solve", Q, "-s", "self-consistancy", *M), ["did you mean self-consistency"]),
    "no strategy at all": (("solve", Q, "-s", "p-true/p-ik", *M), ["estimator", "not a strategy"]),
    "unknown option of a strategy": (("solve", Q, "--set", "kk=3", *M), ["'kk'", "did you mean k?"]),
    "option of the wrong kind": (("solve", Q, "--set", "k=many", *M), ["k='many'", "expected a whole number"]),
    "unknown model": (("solve", Q, "--model", "socratess"), ["did you mean socrates"]),
    "no model of that name": (("solve", Q, "--model", "replay:nothing.jsonl"), ["nothing.jsonl", "no such file"]),
    "no address": (("solve", Q, "--model", "openai:m@nowhere"), ["'nowhere'", "openai:MODEL@URL"]),
    "unreachable server": (("solve", Q, "--model", "openai:m@http://127.0.0.1:9/v1"), ["127.0.0.1:9", "is the server running"]),
    "model without the act": (("solve", Q, "-s", "re-reading", *M), ["socrates-tiny", "serve"]),
    "nothing of what an option counts": (("solve", Q, "--set", "k=0", *M), ["k=0", "at least 1"]),
    "charts where nothing can be written": (("solve", Q, "--charts", "/proc/x", *M), ["/proc/x", "cannot be written"]),
    "charts of a comparison there": (("compare", Q, "--strategies", "direct", "--charts", "/proc/x", *M), ["/proc/x"]),
    "budget of zero": (("solve", Q, "--budget", "0", *M), ["no thought at all", "positive"]),
    "budget of nothing known": (("solve", Q, "--budget", "tokns=4", *M), ["'tokns'", "tokens"]),
    "risk without labels": (("solve", Q, "--risk", "0.2", *M), ["--calibrate"]),
    "risk that is no share": (("solve", Q, "--risk", "20", "--calibrate", "labelled.jsonl", *M), ["between 0 and 1"]),
    "labels from the data": (("solve", Q, "--risk", "0.2", "--calibrate", Q, *M), ["calibrate on others"]),
    "labels without answers": (("solve", Q, "--calibrate", "unlabelled.jsonl", *M), ["calibration needs labels"]),
    "flags that contradict": (("solve", Q, "--dry-run", "--resume", *M), ["contradict"]),
    "a vote of at most none": (("solve", Q, "-s", "adaptive-consistency", "--set", "most=0", *M), ["most=0", "at least 1"]),
    "no limit": (("solve", Q, "--limit", "0", *M), ["--limit", "at least 1"]),
    "unknown sameness": (("solve", Q, "--kind", "nubmer", *M), ["did you mean number"]),
    "unknown family": (("solve", "family:lits?n=3", *M), ["did you mean lists"]),
    "a file where a folder should be": (("solve", Q, "--out", "wrong.jsonl", *M), ["wrong.jsonl"]),
    "unknown flag": (("solve", Q, "--modl", "x"), ["--modl", "--model"]),
    "no data": (("solve",), ["DATA"]),
    "unknown command": (("slove", Q), ["slove", "solve"]),
    "number expected": (("solve", Q, "--seed", "x", *M), ["--seed", "integer"]),
    "compare what": (("compare", Q, *M), ["--strategies", "--all"]),
    "compare two ways": (("compare", Q, "--all", "-s", "think", *M), ["either"]),
    "compare nothing": (("compare", Q, "-s", " ,", *M), ["--strategies", "--all"]),
    "colder than cold": (("compare", Q, "-s", "think", "--temperature", "-1", *M), ["--temperature -1", "greedy"]),
    "proof without answers": (("prove", "dsc", "--data", "unlabelled.jsonl", *M), ["no answer", "right and wrong"]),
    "no seeds": (("compare", Q, "-s", "think", "--seeds", "0", *M), ["--seeds", "at least 1"]),
    "comparison without answers": (("compare", "unlabelled.jsonl", "-s", "think", *M), ["graded"]),
    "two ways to calibrate": (("solve", Q, "--calibrate", "labelled.jsonl", "--calibrator", "c.json", *M), ["leave one out"]),
    "no calibrator": (("solve", Q, "--calibrator", "c.json", *M), ["c.json", "no such file", "nosce calibrate"]),
    "another file as calibrator": (("solve", Q, "--calibrator", "flag.toml", *M), ["flag.toml", "not JSON"]),
    "unknown signal": (("solve", Q, "--signal", "p-tru", *M), ["estimator", "did you mean p-true"]),
    "signal that is fitted first": (("solve", Q, "--signal", "p-true/p-ik", *M), ["fitted on labelled questions"]),
    "calibrate on what": (("calibrate", *M), ["LABELLED", "--run", "--records"]),
    "calibrate on two things": (("calibrate", Q, "--run", "runs", *M), ["one of them"]),
    "calibrate without answers": (("calibrate", "unlabelled.jsonl", *M), ["calibration needs labels"]),
    "calibrate on no run": (("calibrate", "--run", "nowhere", *M), ["nowhere", "finished `nosce solve`"]),
    "unknown method": (("calibrate", Q, "--method", "isotonik", *M), ["did you mean isotonic"]),
    "a risk that is no share": (("calibrate", Q, "--risk", "5", *M), ["--risk 5", "between 0 and 1"]),
    "a plan for no risk": (("calibrate", "--plan"), ["--risk 0.05"]),
    "records of nobody": (("calibrate", "--records", "good.csv"), ["whose confidence", "--model", "--strategy"]),
    "an entailment model that is not there": (("monitor", Q, "--nli", "nowhere", *M), ["--nli nowhere", "no classifier"]),
    "sameness by no model": (("monitor", Q, "--same", "nli", *M), ["--nli PATH"]),
    "score what": (("score",), ["nosce score FILE"]),
    "score no file": (("score", "nope.csv"), ["nope.csv", "no such file"]),
    "score without a confidence": (("score", "graded.csv"), ["no row has a confidence", "--column confidence=sure"]),
    "score without a grade": (("score", "sure.csv"), ["no row says whether it is right", "--column correct="]),
    "score out of range": (("score", "percent.csv"), ["line 2", "85", "--scale 100"]),
    "score of log-probabilities": (("score", "log.csv"), ["line 2", "--scale log"]),
    "score of another kind": (("score", "logit.csv"), ["map it to a probability"]),
    "score on mixed scales": (("score", "mixed.csv"), ["mixed scales", "line 2", "line 3"]),
    "score with some percent signs": (("score", "signs.csv"), ["line 3", "no % sign"]),
    "score with gaps": (("score", "gaps.csv"), ["line 3", "no confidence in 1 of 2 rows", "kept"]),
    "score of words": (("score", "words.csv"), ["line 2", "'maybe'", "1 or 0"]),
    "score by an unknown column": (("score", "good.csv", "--column", "confidence=p"), ["no column 'p'", "confidence, correct"]),
    "score an unknown measure": (("score", "good.csv", "--measure", "auroc"), ["did you mean auroc2"]),
    "score of no rows": (("score", "good.csv", "--where", "family=x"), ["no row has family=x"]),
    "no claim": (("prove", "think", *M), ["makes no claim"]),
    "prove nothing known": (("prove", "dcs", *M), ["did you mean dsc"]),
    "prove what": (("prove", *M), ["--all"]),
    "unknown list": (("systems", "--family", "contrl"), ["did you mean control"]),
    "unknown system": (("systems", "dcs"), ["did you mean dsc"]),
    "no run": (("show", "abc"), ["--run"]),
    "no such run": (("show", "abc", "--run", "runs/none"), ["runs/none", "no such file"]),
    "config that is not there": (("solve", Q, "--config", "none.toml"), ["none.toml"]),
    "config that is no TOML": (("solve", Q, "--config", "wrong.jsonl"), ["not TOML"]),
    "config with an unknown flag": (("solve", Q, "--config", "flag.toml"), ["strateg", "did you mean strategy"]),
    "config with an unknown command": (("solve", Q, "--config", "section.toml"), ["solv", "did you mean solve"]),
}


@pytest.mark.parametrize("case", CASES)
def test_one_line_exit_2_nothing_written_no_token_spent(
    case: str, here: Path, nosce: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {
        "empty.jsonl": "",
        "wrong.jsonl": '{"question": "1+1"}\n{"question": }\n',
        "columns.csv": "x,y\n1,2\n",
        "unlabelled.jsonl": '{"question": "3+4"}\n',
        "flag.toml": '[solve]\nstrateg = "think"\n',
        "section.toml": "[solv]\n",
        "good.csv": "confidence,correct\n0.9,1\n0.2,0\n",
        "graded.csv": "sure,correct\n0.9,1\n0.2,0\n",
        "sure.csv": "confidence,grade\n0.9,1\n0.2,0\n",
        "percent.csv": "confidence,correct\n85,1\n20,0\n",
        "log.csv": "confidence,correct\n-0.1,1\n-2,0\n",
        "logit.csv": "confidence,correct\n-0.1,1\n3.5,0\n",
        "mixed.csv": "confidence,correct\n85,1\n0.2,0\n",
        "signs.csv": "confidence,correct\n85%,1\n0.2,0\n",
        "gaps.csv": "confidence,correct\n0.85,1\n,0\n",
        "words.csv": "confidence,correct\n0.85,maybe\n0.1,0\n",
    }.items():
        (here / name).write_text(text)

    def spent(*given: object) -> None:
        raise AssertionError("a token was spent")

    monkeypatch.setattr(SocratesModel, "sample", spent)
    before = sorted(here.rglob("*"))
    arguments, words = CASES[case]
    code, out, err = nosce(*arguments)
    assert code == 2, err
    assert out == ""
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert [word for word in words if word not in err] == [], err
    assert sorted(here.rglob("*")) == before
