"""The OpenAPI document: FastAPI's own part, and the routes that carry the traffic."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

_MESSAGE = {"type": "object", "required": ["role"], "properties": {"role": {"type": "string"}}, "additionalProperties": True}
_ERROR = {"type": "object", "required": ["error"], "properties": {"error": {"type": "object"}}}
_BODIES: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "/v1/chat/completions": ("A chat completion.", {"messages": {"type": "array", "items": _MESSAGE, "minItems": 1}}, ["messages"]),
    "/v1/completions": ("A text completion.", {"prompt": {"type": "string"}}, ["prompt"]),
    "/v1/responses": ("A response.", {"input": {"type": "string"}}, ["input"]),
    "/v1/embeddings": ("Embeddings, passed on.", {"input": {"type": "string"}}, ["input"]),
}
_STATUSES = {"200": "done", "400": "bad request", "401": "no key", "403": "from another site", "404": "no such model",
             "408": "the body came too slowly", "413": "too large", "421": "wrong host", "422": "not capable", "429": "too many",
             "502": "no upstream answered", "503": "not now"}  # fmt: skip
_OTHERS = {"400": "bad request", "401": "no key", "403": "not allowed", "404": "not there", "408": "the body came too slowly",
           "409": "done before", "413": "too large", "421": "wrong host", "503": "the journal cannot be written"}  # fmt: skip
_UNWELL = {"503": {"description": "degraded: the same object as when it is well"}}


def document(app: FastAPI) -> dict[str, Any]:
    """The whole document."""
    if app.openapi_schema is None:
        made = FastAPI.openapi(app)
        for path, operations in made["paths"].items():
            for operation in operations.values():
                operation["responses"] = _with_errors(operation["responses"]) | (_UNWELL if path == "/health" else {})
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        from nosce.serve.settings import Settings

        schemas["Metacognition"] = Settings.model_json_schema(ref_template="#/components/schemas/{model}")
        made["paths"] |= {path: {"post": _operation(*parts)} for path, parts in _BODIES.items()}
        made["paths"]["/v1/models"] = {
            "get": {"summary": "What may be asked.", "tags": ["openai"], "responses": _answers(("200", "401"))}
        }
        app.openapi_schema = made
    return app.openapi_schema


def _operation(summary: str, fields: dict[str, Any], required: list[str]) -> dict[str, Any]:
    properties = {
        "model": {"type": "string"}, "stream": {"type": "boolean"}, **fields,
        "metacognition": {"$ref": "#/components/schemas/Metacognition"},
    }  # fmt: skip
    schema = {"type": "object", "required": ["model", *required], "properties": properties, "additionalProperties": True}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"summary": summary, "tags": ["openai"], "requestBody": body, "responses": _answers(tuple(_STATUSES))}


def _with_errors(responses: dict[str, Any]) -> dict[str, Any]:
    """FastAPI's own part of the answers, with the errors that are really given: 400 stands where it would say 422."""
    kept = {status: said for status, said in responses.items() if status != "422"}
    return kept | {status: _answer(text, _ERROR) for status, text in _OTHERS.items()}


def _answers(statuses: tuple[str, ...]) -> dict[str, Any]:
    said = {status: _answer(_STATUSES[status], {} if status == "200" else _ERROR) for status in statuses}
    said["200"]["content"]["text/event-stream"] = {"schema": {}}
    return said


def _answer(said: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": said, "content": {"application/json": {"schema": schema}}}
