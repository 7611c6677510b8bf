"""/openapi.json and /docs: generated from the code, complete, and equal to the committed copy."""

import json
from typing import Any

import httpx
import jsonschema_rs
import pytest

from onboarding.api import reference
from onboarding.api.problems import TABLE
from onboarding.services.api_keys import SCOPES
from tests.browser_client import BrowserClient, Site
from tools import openapi


def test_committed_copy_equals_the_generated_document() -> None:
    assert openapi.COPY.read_text(encoding="utf-8") == openapi.made(), "run `make openapi` and look at the difference"


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


def test_the_page_names_every_endpoint_and_every_code(visitor: BrowserClient) -> None:
    page = visitor.opens("/docs")
    assert (page.name, page.heading) == ("api-docs", "API reference")
    words = " ".join("".join(page.main.itertext()).split())
    for path, methods in _document()["paths"].items():
        assert path in words
        assert all(one["summary"] in words for one in methods.values())
    assert [code for code in TABLE if page.root.find(f".//*[@id='code-{code}']") is None] == []


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
    answer = httpx.post(f"{site.settings.origin}{path}", json=body, headers=headers, trust_env=False)
    assert answer.status_code == 201, answer.text
    schema = operation["responses"]["201"]["content"]["application/json"]["schema"]
    jsonschema_rs.validator_for({**schema, "components": described["components"]}).validate(answer.json())


def _document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(openapi.COPY.read_text(encoding="utf-8"))
    return found
