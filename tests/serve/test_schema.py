"""schemathesis over the OpenAPI document: whatever it makes up, no answer is a 5xx and every answer is a documented one."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from tests.serve.live import proxy
from tests.servers.stub import completion, serving

schemathesis = pytest.importorskip("schemathesis")
from schemathesis import checks as known  # noqa: E402

CHECKS = (
    known.not_a_server_error, known.status_code_conformance, known.content_type_conformance, known.response_schema_conformance,
)  # fmt: skip


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The schema of a server before a stub and the bundled model."""
    folder = tmp_path_factory.mktemp("proxy")
    with serving(lambda call: completion("4")) as up, proxy(folder, f"small=openai:m@{up.url}", demo=True) as url:
        yield schemathesis.openapi.from_url(url.removesuffix("/v1") + "/openapi.json")


QUIET = settings(
    max_examples=10,
    deadline=None,
    phases=(Phase.generate,),
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
MODELS = st.sampled_from(["nosce/auto", "nosce/self-consistency", "small", "socrates", None])


def test_every_answer_is_documented_and_none_is_a_5xx(api: Any) -> None:
    """Each operation with bodies that keep to the schema and with bodies that break it, and mostly a model that is there."""
    operations = [found.ok() for found in api.get_all_operations()]
    assert {one.path for one in operations} >= {"/v1/chat/completions", "/v1/responses", "/v1/feedback", "/health"}
    session = requests.Session()
    for operation in operations:
        for mode in schemathesis.GenerationMode:

            @QUIET
            @given(case=operation.as_strategy(generation_mode=mode), model=MODELS)
            def asked(case: Any, model: str | None) -> None:
                if model is not None and isinstance(case.body, dict) and "model" in case.body:
                    case.body["model"] = model
                case.validate_response(case.call(session=session), checks=CHECKS)

            with contextlib.suppress(Unsatisfiable):  # a GET without parameters has nothing to break
                asked()
