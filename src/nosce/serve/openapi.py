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
_STATUSES = {"200": "done", "400": "bad request", "401": "no key", "404": "no such model", "413": "too large", "422": "not capable",
             "429": "too many", "502": "no upstream answered", "503": "not now"}  # fmt: skip


def document(app: FastAPI) -> dict[str, Any]:
    """The whole document."""
    if app.openapi_schema is None:
        made = FastAPI.openapi(app)
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


def _answers(statuses: tuple[str, ...]) -> dict[str, Any]:
    return {
        status: {"description": _STATUSES[status], "content": {"application/json": {"schema": {} if status == "200" else _ERROR}}}
        for status in statuses
    }
