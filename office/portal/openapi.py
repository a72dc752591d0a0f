"""The description of the portal for programs: made from the route table, so that nothing can be missing from it."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from office.portal.page import Route

_PART = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>")
_PROBLEM = {"type": "object", "required": ["status", "code", "title"], "properties": {
    "status": {"type": "integer"}, "code": {"type": "string"}, "title": {"type": "string"}, "detail": {"type": "string"},
    "type": {"type": "string"}, "instance": {"type": "string"}, "retry": {"enum": ["never", "later", "after_operator"]},
    "reference": {"type": "string"}}}  # fmt: skip


def describe(routes: list[Route], cookie: str) -> dict[str, Any]:
    """OpenAPI 3.1 of all routes."""
    paths: dict[str, dict[str, Any]] = {"/static/{tag}/{file}": {"get": _static()}}
    shapes = [route.takes for route in routes if route.takes is not None]
    _, schemas = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    for route in routes:
        methods = paths.setdefault(_PART.sub(r"{\2}", route.path), {})
        methods[route.method.lower()] = _operation(route)
        if route.method == "GET" and route.room == "uploads":  # how far an upload has come
            methods["head"] = {**_operation(route), "operationId": f"uploads.head.{len(route.path)}"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Yiwang", "version": "1", "description": "The office network of a prefecture: one node's portal."},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {**schemas, "Problem": _PROBLEM},
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": cookie},
                "token": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    types = (["application/json"] if route.json else []) + ([] if route.path.startswith("/api/") else ["text/html"])
    found: dict[str, Any] = {
        "operationId": f"{route.room}.{route.name}.{route.method.lower()}.{len(route.path)}",
        "summary": route.about,
        "tags": [route.room],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "integer" if kind == "int" else "string"}}
            for kind, name in _PART.findall(route.path)
        ]
        + [
            {"name": name, "in": where, "description": about, "schema": {"type": "string"}}
            for where, named in (("query", route.query), ("header", route.headers))
            for name, about in named.items()
        ],
        "responses": {
            "200": {"description": "Done.", "content": {kind: {} for kind in types or ["application/octet-stream"]}},
            "default": {"description": "Not done.", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}},
        },
        "security": _security(route),
    }
    if route.takes is not None:
        shape = {"schema": {"$ref": f"#/components/schemas/{route.takes.__name__}"}}
        found["requestBody"] = {"required": True, "content": {"application/json": shape, "application/x-www-form-urlencoded": shape}}
    elif route.upload:
        found["requestBody"] = {"content": {"multipart/form-data": {}, "application/octet-stream": {}}}
    return found


def _security(route: Route) -> list[dict[str, list[str]]]:
    unsafe = route.method not in ("GET", "HEAD")
    if route.public:
        return [{}]
    return [{"session": [], "token": []}] if unsafe else [{"session": []}]


def _static() -> dict[str, Any]:
    names = ("tag", "file")
    return {
        "operationId": "portal.static",
        "summary": "A static file; the tag changes with its content.",
        "parameters": [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names],
        "responses": {"200": {"description": "The file."}, "404": {"description": "No such file."}},
        "security": [{}],
    }
