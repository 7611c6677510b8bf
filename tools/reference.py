"""Render the API reference from the OpenAPI document: a page per resource at /docs, and the tables of docs/api.md."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from onboarding import files
from onboarding.api import problem_table
from onboarding.api.openapi import singular
from onboarding.pages.filters import FILTERS
from onboarding.services.api_keys import SCOPES

#: The rendered pages, which the server shows in its frame.
PAGES = files.templates() / "docs"
#: The guide, whose tables of parameters follow a line such as `<!-- parameters of create_context -->`.
GUIDE = Path(__file__).parents[1] / "docs" / "api.md"
_TABLE = re.compile(r"(<!-- parameters of (\w+) -->\n\n)(?:\|.*\n)*")
#: Parameters that the guide explains once for all operations.
_EXPLAINED_ONCE = ("limit", "after", "before", "orderBy", "orderDirection", "includeCursor", "Idempotency-Key")
#: In the order in which a developer needs them. Resources that are not named here follow.
_ORDER = ("Channel connections", "Install URLs", "Connect sessions", "Integrations", "Channel endpoints", "Subscribers")
_METHODS = ("post", "get", "patch", "delete")
_DEEPEST = 3
#: Of a longer list of values, the first ones are shown.
_MAX_VALUES = 12
_INTRODUCTION = (
    ("start", "The first request"),
    ("keys", "Authentication"),
    ("identity", "Identity and modes"),
    ("repeating", "Idempotent requests"),
    ("lists", "Pagination"),
    ("limits", "Limits"),
    ("conventions", "Conventions"),
)
_ERRORS = (("shape", "The error object"), ("codes", "Codes"))


@dataclass(frozen=True)
class Member:
    name: str
    type: str
    required: bool
    default: str
    meaning: str


@dataclass(frozen=True)
class Endpoint:
    anchor: str
    method: str
    path: str
    #: The path with example values in place of its variables.
    filled_path: str
    summary: str
    description: str
    scope: str
    #: The input by where it is sent: "Path parameters", "Query parameters", "Headers" and "Body".
    inputs: tuple[tuple[str, tuple[Member, ...]], ...]
    example: str | None
    status: str
    answer: str | None
    others: tuple[str, ...]

    def command(self, origin: str) -> str:
        """Return a request that curl sends."""
        method = "" if self.method in ("GET", "POST") and bool(self.example) == (self.method == "POST") else self.method
        lines = [f"curl {f'-X {method} ' if method else ''}{origin}{self.filled_path}"]
        lines.append('-H "Authorization: ApiKey $API_KEY"')
        if self.example:
            lines += ['-H "Content-Type: application/json"', f"-d '{self.example}'".replace("\n", "\n  ")]
        return " \\\n  ".join(lines)


@dataclass(frozen=True)
class Resource:
    slug: str
    name: str
    endpoints: tuple[Endpoint, ...]
    #: "The channel connection object".
    object: str
    description: str
    #: Of the object that its endpoints return, alone or in a list.
    members: tuple[Member, ...]


_ERROR_EXAMPLE = {
    "statusCode": 404,
    "timestamp": "2026-11-23T10:00:00.000Z",
    "path": "/v1/channel-connections/nobody",
    "message": "Channel connection with identifier 'nobody' not found",
    "error": "Not Found",
    "code": "connection_not_found",
    "requestId": "req_0f3a9c",
}


class _Page(NamedTuple):
    """A page in the table of contents."""

    address: str
    title: str
    sections: tuple[tuple[str, str], ...]


def render(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of each page by its file name."""
    environment = _environment()
    found = resources(document)
    pages = [
        _Page("/docs", "API reference", _INTRODUCTION),
        *(_Page(f"/docs/{one.slug}", one.name, _sections(one)) for one in found),
        _Page("/docs/errors", "Errors", _ERRORS),
    ]
    create = next(one for one in found[0].endpoints if one.method == "POST")
    introduction = environment.get_template("introduction.html")
    errors = environment.get_template("errors.html")
    resource = environment.get_template("resource.html")
    shape = document["components"]["schemas"]["Problem"]
    rendered = {
        "introduction": introduction.render(pages=pages, title="API reference", create=create, scopes=SCOPES),
        "errors": errors.render(
            pages=pages,
            title="Errors",
            codes=problem_table.TABLE,
            problem=tuple(_members(document, shape)),
            example=_text(_ERROR_EXAMPLE),
        ),
        **{one.slug: resource.render(pages=pages, title=one.name, resource=one) for one in found},
    }
    return {f"{slug}.html": _tidy(text) for slug, text in rendered.items()}


def guide(document: Mapping[str, Any]) -> str:
    """Return the guide with its tables of parameters as the code has them."""
    endpoints = {one.anchor.replace("-", "_"): one for resource in resources(document) for one in resource.endpoints}
    return _TABLE.sub(lambda found: found[1] + _table(endpoints[found[2]]), GUIDE.read_text(encoding="utf-8"))


def _table(endpoint: Endpoint) -> str:
    rows = [row for caption, members in endpoint.inputs if caption != "Path parameters" for row in members]
    lines = [
        f"| `{row.name}` | {row.type}{', required' if row.required else ''} | {row.meaning} |"
        for row in rows
        if row.name not in _EXPLAINED_ONCE
    ]
    return "\n".join(["| parameter | type | meaning |", "| --- | --- | --- |", *lines]) + "\n"


def write(document: Mapping[str, Any]) -> None:
    """Write the pages and the guide's tables, and delete the pages of resources that no longer exist."""
    GUIDE.write_text(guide(document), encoding="utf-8")
    pages = render(document)
    for path in set(PAGES.glob("*.html")) - {PAGES / name for name in pages}:
        path.unlink()
    for name, text in pages.items():
        (PAGES / name).write_text(text, encoding="utf-8")


def resources(document: Mapping[str, Any]) -> tuple[Resource, ...]:
    endpoints: dict[str, list[Endpoint]] = {}
    objects: dict[str, Mapping[str, Any]] = {}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                operation = operations[method]
                name = operation["tags"][0]
                # The first endpoint of each resource returns its object or a list of them. Where it returns a new
                # object's secrets, the endpoint that retrieves the object returns the rest.
                if name not in objects or (method == "get" and path.endswith("}")):
                    objects[name] = _object(document, operation)
                endpoints.setdefault(name, []).append(_endpoint(document, method, path, operation, objects[name]))
    names = sorted(endpoints, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))
    return tuple(
        Resource(
            slug=name.lower().replace(" ", "-"),
            name=name,
            endpoints=tuple(endpoints[name]),
            object=f"The {singular(name)} object",
            description=objects[name].get("description", ""),
            members=tuple(_members(document, objects[name])),
        )
        for name in names
    )


def example(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """Return a value of this schema, made from the examples of the models."""
    schema = _resolved(document, schema)
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    if schema.get("type") == "object" and "properties" in schema:
        shown = {
            name: part
            for name, part in schema["properties"].items()
            if name in schema.get("required", ()) or "examples" in _resolved(document, part)
        }
        return {name: example(document, part) for name, part in shown.items()}
    if schema.get("type") == "array":
        return [example(document, schema["items"])]
    return {"integer": 1, "boolean": False, "object": {}, "null": None}.get(str(schema.get("type")), "…")


def _object(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = _resolved(document, _answer(operation)[1] or {})
    return _resolved(document, schema["items"]) if schema.get("type") == "array" else schema


def _answer(operation: Mapping[str, Any]) -> tuple[str, Mapping[str, Any] | None]:
    """Return the status of success and its schema, if it has one."""
    status = next(code for code in operation["responses"] if code.startswith("2"))
    return status, operation["responses"][status].get("content", {}).get("application/json", {}).get("schema")


def _endpoint(
    document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any], returned: Mapping[str, Any]
) -> Endpoint:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    status, answer = _answer(operation)
    return Endpoint(
        anchor=operation["operationId"].replace("_", "-"),
        method=method.upper(),
        path=path,
        filled_path=_filled(document, path, returned),
        summary=operation["summary"],
        description=operation["description"],
        scope=operation["x-scope"],
        inputs=_inputs(document, operation["parameters"], body),
        example=_text(example(document, body)) if body else None,
        status=status,
        answer=_text(example(document, answer)) if answer else None,
        others=tuple(sorted(code for code in operation["responses"] if code != status)),
    )


def _inputs(
    document: Mapping[str, Any], parameters: list[Mapping[str, Any]], body: Mapping[str, Any] | None
) -> tuple[tuple[str, tuple[Member, ...]], ...]:
    found = [
        (caption, tuple(_parameter(document, one) for one in parameters if one["in"] == kind))
        for kind, caption in (("path", "Path parameters"), ("query", "Query parameters"), ("header", "Headers"))
    ]
    found.append(("Body", tuple(_members(document, body)) if body else ()))
    return tuple((caption, members) for caption, members in found if members)


def _parameter(document: Mapping[str, Any], parameter: Mapping[str, Any]) -> Member:
    schema = _resolved(document, parameter["schema"])
    default = schema.get("default")
    return Member(
        name=parameter["name"],
        type=_type(document, schema) + _limits(schema),
        required=bool(parameter.get("required")),
        default="" if default is None else json.dumps(default).strip('"'),
        meaning=parameter.get("description") or schema.get("description", ""),
    )


def _members(document: Mapping[str, Any], schema: Mapping[str, Any], before: str = "") -> Iterator[Member]:
    schema = _resolved(document, schema)
    required = schema.get("required", ())
    for name, part in sorted(schema.get("properties", {}).items(), key=lambda one: one[0] not in required):
        inner = _resolved(document, part)
        meaning = part.get("description") or inner.get("description", "")
        # An optional member without a value is left out; a required one is null.
        nullable = name in required and any(one.get("type") == "null" for one in part.get("anyOf", ()))
        kind = _type(document, inner) + _limits(inner) + (" or null" if nullable else "")
        yield Member(f"{before}{name}", kind, name in required, "", meaning)
        if before.count(".") >= _DEEPEST:
            continue
        if "properties" in inner:
            yield from _members(document, inner, f"{before}{name}.")
        elif inner.get("type") == "array":
            yield from _members(document, inner["items"], f"{before}{name}[].")


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema behind a reference or an optional value."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return {**_resolved(document, document["components"]["schemas"][name]), **_beside(schema)}
    if "anyOf" in schema:
        real = [one for one in schema["anyOf"] if one.get("type") != "null"]
        if len(real) > 1:
            # The description says which of these shapes applies.
            return schema
        return {**_resolved(document, real[0]), **_beside(schema)}
    return schema


def _beside(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name not in ("$ref", "anyOf")}


def _type(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        few = schema["enum"][:_MAX_VALUES]
        more = f", … ({len(schema['enum'])} values)" if len(schema["enum"]) > len(few) else ""
        return f"{schema['type']}, one of {', '.join(few)}{more}"
    if schema.get("type") == "array":
        return "array of " + re.sub(r"^(string|object)", r"\1s", _type(document, _resolved(document, schema["items"])))
    if schema.get("format") == "date-time":
        return "timestamp"
    return str(schema.get("type", "any"))


def _limits(schema: Mapping[str, Any]) -> str:
    """Return the limits of a value as text."""
    for least, most, of in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("", "maxItems", ""),
    ):
        if most in schema:
            beginning = f"{schema[least]} to " if schema.get(least) else "at most "
            return f", {beginning}{schema[most]:,}{of}"
    return ""


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _filled(document: Mapping[str, Any], path: str, returned: Mapping[str, Any]) -> str:
    """Replace the variables of a path with the examples of the members that they name."""

    def value(variable: re.Match[str]) -> str:
        first, *rest = variable[1].split("_")
        return str(example(document, returned["properties"][first + "".join(map(str.title, rest))]))

    return re.sub(r"{(\w+)}", value, path)


def _sections(resource: Resource) -> tuple[tuple[str, str], ...]:
    return (*((one.anchor, one.summary) for one in resource.endpoints), ("object", resource.object))


def _environment() -> Environment:
    """Return the environment of the pages' sources. The server inserts what depends on the deployment."""
    sources = [Path(__file__).parent / "templates", files.templates()]
    loader, extensions = FileSystemLoader(sources), ["jinja2.ext.i18n"]
    environment = Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, extensions=extensions
    )
    # The macros mark their words for translation. The reference is in English.
    getattr(environment, "install_null_translations")(newstyle=True)  # noqa: B009  # the extension adds the method
    environment.filters["code_words"] = FILTERS["code_words"]
    icon = getattr(environment.get_template("parts/_icons.html").module, "icon")  # noqa: B009  # mypy knows no macros
    environment.globals["icon"] = icon
    for name in ("origin", "program", "limit"):
        environment.globals[name] = Markup("{% endraw %}{{ " + name + " }}{% raw %}")  # noqa: S704  # a name of ours
    return environment


def _tidy(text: str) -> str:
    """Remove empty lines and white space at the ends of lines, which the templates leave."""
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n"
