"""What the help page tells of OTTO's own API, read from its OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from otto_web.lib.api.document import Operation, document
from otto_web.lib.tokens import SCOPE_WORDS

ROOMS = {  # what stands behind the first word of an address
    "uploads": "Uploads",
    "datasets": "Datasets",
    "versions": "Versions",
    "tokenizers": "Tokenizers",
    "runs": "Runs",
    "models": "Models",
    "artifacts": "Files of models and tokenizers",
    "deployments": "Deployments",
}
Node = Mapping[str, Any]
TYPES = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "array": "list",
    "object": "named values",
}
FORMATS = {"uuid": "id", "date-time": "time"}


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is sent."""

    name: str
    kind: str  # with its bounds
    default: str  # empty where it is needed, or where leaving it out is its own meaning
    is_needed: bool
    about: str


@dataclass(frozen=True, slots=True)
class Described:
    """An operation in words."""

    method: str
    path: str
    summary: str
    about: str
    scope: str
    role: str
    answer: str  # the kind of what it gives, where that is no JSON
    query: list[Field] = field(default_factory=list)
    body: list[Field] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Room:
    """The operations of one noun."""

    slug: str
    title: str
    operations: list[Described]


def described(found: Iterable[Operation]) -> list[Room]:
    """Return the operations by room, in the order of `ROOMS`."""
    listed = list(found)
    told = document(listed, version="", server="")
    schemas = told["components"]["schemas"]
    rooms: dict[str, list[Described]] = {slug: [] for slug in ROOMS}
    for one in listed:
        node = told["paths"][one.path][one.method.lower()]
        rooms.setdefault(one.room, []).append(_described(one, node, schemas))
    return [Room(slug, ROOMS.get(slug, slug), items) for slug, items in rooms.items() if items]


def _described(one: Operation, node: Node, schemas: Node) -> Described:
    queries = [given for given in node["parameters"] if given["in"] == "query"]
    query = [
        _field(given["name"], given["schema"], is_needed=given["required"]) for given in queries
    ]
    body: list[Field] = []
    if "requestBody" in node:
        schema = node["requestBody"]["content"]["application/json"]["schema"]
        body = list(_fields(schemas[schema["$ref"].rpartition("/")[2]], schemas))
    asked = one.endpoint
    media = "" if asked.media == "application/json" else asked.media
    about, scope = one.about, SCOPE_WORDS[asked.may.scope].partition(" (")[0]
    role = asked.may.role.group
    return Described(one.method, one.path, asked.summary, about, scope, role, media, query, body)


def _fields(schema: Node, schemas: Node) -> Iterator[Field]:
    needed = set(schema.get("required", ()))
    for name, kind in schema.get("properties", {}).items():
        yield _field(name, kind, is_needed=name in needed, schemas=schemas)


def _field(name: str, schema: Node, *, is_needed: bool, schemas: Node | None = None) -> Field:
    default = schema.get("default")
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    if default in (None, "", {}):
        shown = ""
    return Field(name, _kind(schema, schemas or {}), shown, is_needed, _about(schema))


def _about(schema: Node) -> str:
    if "description" in schema and "$ref" not in schema:
        return str(schema["description"])
    return next((about for one in schema.get("anyOf", ()) if (about := _about(one))), "")


def _kind(schema: Node, schemas: Node) -> str:
    if "$ref" in schema:
        return _kind(schemas.get(schema["$ref"].rpartition("/")[2], {}), schemas)
    if "anyOf" in schema:
        kinds = [_kind(one, schemas) for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in schema:
        return ", ".join(str(one) or "nothing" for one in schema["enum"])
    named = FORMATS.get(schema.get("format", "")) or TYPES.get(str(schema.get("type")), "value")
    return f"{named}{_bounds(schema)}"


def _bounds(schema: Node) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f" from {least:,g} to {most:,g}"
    if least is not None:
        return f", at least {least:,g}"
    if "maxLength" in schema:
        return f", at most {schema['maxLength']:,} characters"
    return ""
