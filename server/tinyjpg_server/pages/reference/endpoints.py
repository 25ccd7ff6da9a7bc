"""Operations of the OpenAPI document as a page shows them: tables and an example of the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from tinyjpg_server.openapi.operations import JSON
from tinyjpg_server.pages.reference.highlighting import highlighted_json

Schema = Mapping[str, Any]

# Headings of the tables, by where a parameter is.
_HEADINGS: Final = {
    "path": "Path Parameters",
    "body": "Request Parameters",
    "query": "Query Parameters",
    "header": "Headers",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of an answer: `required` ones are in every answer."""

    name: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation.

    Attributes:
        id: operationId.
        method: in capitals.
        path: with its parameters in braces.
        summary, description: for people; `code` is in backticks.
        parameters: heading of a table -> its rows; empty tables are left out.
        answer: example of a success, as JSON; None where it is none.
        fields: of `data` in a success.
        failures: statuses that it may answer beside success.
    """

    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: Mapping[str, tuple[Field, ...]]
    answer: Markup | None
    fields: tuple[Field, ...]
    failures: tuple[int, ...]


def endpoints_of(document: Schema) -> dict[str, Endpoint]:
    """operationId -> the operation, of all in an OpenAPI document."""
    found = [
        _endpoint(document, path, method, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    return {endpoint.id: endpoint for endpoint in found}


def _endpoint(document: Schema, path: str, method: str, operation: Schema) -> Endpoint:
    rows: dict[str, list[Field]] = {place: [] for place in _HEADINGS}
    for parameter in operation.get("parameters", ()):
        rows[parameter["in"]].append(
            _field(
                parameter["name"],
                {**parameter["schema"], "description": parameter.get("description", "")},
                required=parameter.get("required", False),
            )
        )
    rows["body"].extend(_body_fields(document, operation))
    content = operation["responses"]["200"].get("content", {}).get(JSON, {})
    data = content.get("schema", {}).get("properties", {}).get("data", {})
    return Endpoint(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        parameters={_HEADINGS[place]: tuple(fields) for place, fields in rows.items() if fields},
        answer=highlighted_json(content["example"]) if "example" in content else None,
        fields=tuple(_fields(document, data)),
        failures=tuple(int(status) for status in operation["responses"] if int(status) >= 400),
    )


def _body_fields(document: Schema, operation: Schema) -> Iterator[Field]:
    body = operation.get("requestBody", {})
    for content in body.get("content", {}).values():
        schema = content["schema"]
        # A body that may be left out is that or null.
        schema = _resolved(document, schema.get("anyOf", [schema])[0])
        needed = schema.get("required", ())
        for name, field in schema["properties"].items():
            yield _field(name, field, required=name in needed)


def _fields(document: Schema, schema: Schema, prefix: str = "") -> Iterator[Field]:
    schema = _resolved(document, schema)
    needed = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        inner = _resolved(document, part)
        yield _field(path, inner, required=name in needed)
        if inner.get("type") == "object":
            yield from _fields(document, inner, f"{path}.")
        # What is told elsewhere is not told again.
        elif "$ref" not in inner.get("items", {"$ref": ""}):
            yield from _fields(document, inner["items"], f"{path}[].")


def _field(name: str, schema: Schema, *, required: bool) -> Field:
    return Field(name, _type(schema), required, " ".join(_sentences(schema)))


def _type(schema: Schema) -> str:
    if schema.get("format") == "binary":
        return "File"
    if "const" in schema:
        return type(schema["const"]).__name__.replace("bool", "boolean").capitalize()
    kinds = schema.get("type", "string")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return " or ".join(kind if kind == "null" else kind.capitalize() for kind in kinds)


def _sentences(schema: Schema) -> Iterator[str]:
    said = schema.get("description", "")
    if said:
        yield said if said.endswith(".") or len(schema) <= 2 else f"{said}."
    if "enum" in schema:
        yield "One of " + ", ".join(f"`{value}`" for value in schema["enum"]) + "."
    if "minimum" in schema and "maximum" in schema and "1-100" not in said:
        yield f"{schema['minimum']:g} to {schema['maximum']:g}."
    if schema.get("default") is not None and "default" not in said:
        yield f"Default: {schema['default']}."


def _resolved(document: Schema, schema: Schema) -> Schema:
    name = schema.get("$ref")
    if name is None:
        return schema
    found: Schema = document["components"]["schemas"][name.rpartition("/")[2]]
    return found
