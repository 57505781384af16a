"""The OpenAPI document of OTTO's own API, read from the endpoints themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from django.urls import URLPattern, URLResolver
from django.urls.converters import get_converters

from otto_web.lib.api.bodies import choice_schema
from otto_web.lib.api.endpoints import JSON, Endpoint
from otto_web.lib.api.errors import ErrorBody
from otto_web.lib.tokens import SCOPE_WORDS

OPENING = "api/v1/"
_NAMED = re.compile(r"<(\w+):(\w+)>")
_KINDS = {"uuid": {"type": "string", "format": "uuid"}, "int": {"type": "integer", "minimum": 0}}
_REFS = "#/components/schemas/{name}"
Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address, as the document and the help page tell it."""

    path: str  # with {names}
    names: tuple[tuple[str, str], ...]  # what stands in it: a name and its kind
    endpoint: Endpoint

    @property
    def method(self) -> str:
        return self.endpoint.method

    @property
    def about(self) -> str:
        """Return what the endpoint's docstring says."""
        return " ".join((self.endpoint.function.__doc__ or "").split()) if self.is_ours else ""

    @property
    def is_ours(self) -> bool:
        """Return whether it answers as this API does, and not by another protocol."""
        return self.endpoint.media == JSON or "/" in self.endpoint.media

    @property
    def room(self) -> str:
        """Return the noun that it is about."""
        return self.path.removeprefix(f"/{OPENING}").split("/")[0]


def operations(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[Operation]:
    """Yield every operation of the API in the order of the addresses."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from operations(pattern.url_patterns)
            continue
        address = str(pattern.pattern)
        known: dict[str, Endpoint] = getattr(pattern.callback, "endpoints", {})
        names = tuple((name, kind) for kind, name in _NAMED.findall(address))
        for one in known.values():
            yield Operation("/" + _NAMED.sub(r"{\2}", address), names, one)


def document(found: Iterable[Operation], *, version: str, server: str) -> Node:
    """Return the OpenAPI 3.1 document of these operations."""
    listed = list(found)
    schemas, components = _schemas(listed)
    paths: dict[str, Node] = {}
    for one in listed:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schemas, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "OTTO",
            "version": version,
            "description": "Data, training and models of this installation, for programs."
            " Answers of models are OpenAI’s API at /v1/.",
        },
        "servers": [{"url": server}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API token of a person, made in the profile.",
                }
            },
        },
    }


def _schemas(found: list[Operation]) -> tuple[dict[Any, Node], Node]:
    """Return the schema of every type by the type, and what these refer to."""
    types: list[Any] = [ErrorBody]
    for one in found:
        kinds = (one.endpoint.query, one.endpoint.body, one.endpoint.answer)
        types += [kind for kind in kinds if kind is not None and kind not in types]
    made, components = msgspec.json.schema_components(
        types, schema_hook=choice_schema, ref_template=_REFS
    )
    return dict(zip(types, made, strict=True)), dict(components)


def _operation(one: Operation, schemas: dict[Any, Node], components: Node) -> Node:
    asked = one.endpoint
    scope, role = asked.may.scope, asked.may.role.group
    who = f"Scope of the token: {scope} ({SCOPE_WORDS[scope]}). Role: {role} or above."
    node: Node = {
        "operationId": f"{one.method.lower()}_{one.path.strip('/').replace('/', '_')}".translate(
            str.maketrans("", "", "{}")
        ),
        "tags": [one.room],
        "summary": asked.summary,
        "description": f"{one.about} {who}".strip(),
        "parameters": [_in_path(name, kind) for name, kind in one.names],
        "responses": {
            str(asked.status): _answer(asked, schemas),
            "default": {
                "description": "a refusal",
                "content": {JSON: {"schema": schemas[ErrorBody]}},
            },
        },
    }
    if asked.query is not None:
        node["parameters"] += _in_query(schemas[asked.query], components)
    if asked.body is not None:
        node["requestBody"] = {"content": {JSON: {"schema": schemas[asked.body]}}}
    return node


def _answer(asked: Endpoint, schemas: dict[Any, Node]) -> Node:
    node: Node = {"description": "done" if asked.status == 200 else "accepted"}
    if asked.answer is not None:
        node["content"] = {JSON: {"schema": schemas[asked.answer]}}
    elif "/" in asked.media:
        node["content"] = {asked.media: {"schema": {"type": "string"}}}
    return node


def _in_path(name: str, kind: str) -> Node:
    schema = _KINDS.get(kind) or {"type": "string", "pattern": get_converters()[kind].regex}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(schema: Node, components: Node) -> list[Node]:
    """Return the fields of a query as parameters."""
    found = components[schema["$ref"].rpartition("/")[2]]
    required = set(found.get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in required, "schema": kind}
        for name, kind in found["properties"].items()
    ]
