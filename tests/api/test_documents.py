"""/openapi.json and /docs: generated from the code, complete, and equal to the committed files."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from onboarding.api.openapi import text
from onboarding.api.problem_table import TABLE
from onboarding.services.api_keys import SCOPES
from tests import plain_http
from tests.browser_client import BrowserClient, Site
from tools import openapi, reference

pytestmark = pytest.mark.once


def test_committed_files_are_up_to_date() -> None:
    document = openapi.document()
    assert openapi.COPY.read_text(encoding="utf-8") == text(document), "run `make openapi` and look at the difference"
    pages = {path.name: path.read_text(encoding="utf-8") for path in reference.PAGES.glob("*.html")}
    assert pages == reference.render(document), "run `make openapi` and look at the difference"
    guide = reference.GUIDE.read_text(encoding="utf-8")
    assert guide == reference.guide(document), "run `make openapi` and look at the difference"


def test_every_endpoint_parameter_and_member_is_explained() -> None:
    """A description is at least one sentence, in plain text: its only markup is `code`."""
    found = list(_descriptions(_document()))
    assert len(found) > 100
    assert [name for name, words in found if not re.fullmatch(r"[A-Z`][^*]+ [^*]+\.", words or "")] == []


def test_the_id_in_an_address_is_described_as_the_id_of_its_object() -> None:
    described = {
        (path.split("/")[2], one["description"].removeprefix("The id of the "))
        for path, methods in _document()["paths"].items()
        for operation in methods.values()
        for one in operation["parameters"]
        if one["in"] == "path" and one["name"] == "id"
    }
    assert described == {
        ("connect-sessions", "connect session."),
        ("contexts", "context."),
        ("webhook-deliveries", "webhook delivery."),
        ("webhook-endpoints", "webhook endpoint."),
    }


def test_committed_document_is_served(visitor: BrowserClient) -> None:
    answer = visitor.asks("GET", "/openapi.json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.text == openapi.COPY.read_text(encoding="utf-8")


def test_document_has_every_endpoint_with_its_scope(site: Site) -> None:
    described = _document()
    operations = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}
    served = {
        (method, rule.rule.replace("<", "{").replace(">", "}"))
        for rule in site.app.url_map.iter_rules()
        if rule.rule.startswith(("/v1/", "/v2/"))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert operations == served
    scopes = {one["x-scope"] for methods in described["paths"].values() for one in methods.values()}
    assert scopes <= set(SCOPES)


def test_pages_name_every_endpoint_and_every_code(visitor: BrowserClient) -> None:
    first = visitor.opens("/docs")
    assert (first.name, first.heading) == ("api-docs", "API reference")
    addresses = [link.get("href", "") for link in first.main.iterfind(".//nav//a") if "/" in link.get("href", "")]
    pages = {address: visitor.opens(address) for address in addresses}
    words = " ".join(" ".join("".join(page.main.itertext()) for page in pages.values()).split())
    for path, methods in _document()["paths"].items():
        assert path in words
        assert all(one["summary"] in words for one in methods.values())
    errors = pages["/docs/errors"]
    assert [code for code in TABLE if errors.root.find(f".//*[@id='code-{code}']") is None] == []
    assert visitor.opens("/docs/nothing").status == 404


def test_pages_are_in_the_console_for_operators_only(visitor: BrowserClient, operator: BrowserClient) -> None:
    for browser, is_signed_in in ((visitor, False), (operator, True)):
        page = browser.opens("/docs/contexts")
        links = {link.get("href") for link in page.root.iterfind(".//header//a")}
        assert ("/connections" in links) is is_signed_in
        assert ('data-action="sign-out"' in page.text) is is_signed_in


@pytest.mark.parametrize("name", ["create_channel_connection", "create_context", "create_subscriber"])
def test_example_of_the_document_gets_the_documented_answer(name: str, site: Site) -> None:
    site.add_practice_app("slack-prod", "Northwind", "Development")
    key = site.api_key("reader", "Development")
    described = _document()
    path, operation = next(
        (path, one)
        for path, methods in described["paths"].items()
        for one in methods.values()
        if one["operationId"] == name
    )
    body = reference.example(described, operation["requestBody"]["content"]["application/json"]["schema"])
    headers = {"Authorization": f"ApiKey {key}"}
    answer = plain_http.post(f"{site.settings.origin}{path}", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    schema = operation["responses"]["201"]["content"]["application/json"]["schema"]
    jsonschema_rs.validator_for({**schema, "components": described["components"]}).validate(answer.json())


def _descriptions(document: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            yield path, operation.get("description")
            yield from ((f"{path} {one['name']}", one.get("description")) for one in operation["parameters"])
    for name, schema in document["components"]["schemas"].items():
        for member, part in schema.get("properties", {}).items():
            yield f"{name}.{member}", part.get("description", _behind(document, part).get("description"))


def _behind(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"].get(part.get("$ref", "").rpartition("/")[2], {})
    return found


def _document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(openapi.COPY.read_text(encoding="utf-8"))
    return found
