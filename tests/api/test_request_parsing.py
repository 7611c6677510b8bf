"""Malformed requests: the response is documented, names the invalid value, and nothing is stored in part."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.api.conftest import Program, connection
from tests.browser_client import Site

LIST = "/v1/channel-connections"
MAX_BODY_BYTES = 100_000


def posts(program: Program, content: bytes | Iterator[bytes], **headers: str) -> httpx.Response:
    named = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return program.client.post(LIST, content=content, headers=named)


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY_BYTES, 201), (MAX_BODY_BYTES + 1, 413)])
def test_body_of_a_hundred_kilobytes_is_accepted(size: int, status: int, program: Program) -> None:
    assert posts(program, json.dumps(connection()).encode().ljust(size)).status_code == status


def test_chunked_body_of_a_hundred_kilobytes_is_accepted(program: Program) -> None:
    whole = json.dumps(connection()).encode().ljust(MAX_BODY_BYTES)
    assert posts(program, iter([whole[:50_000], whole[50_000:]])).status_code == 201


@pytest.mark.parametrize("headers", [{}, {"Idempotency_Key": "k"}], ids=["without key", "with key"])
def test_longer_chunked_body_is_refused_instead_of_truncated(headers: dict[str, str], program: Program) -> None:
    whole = json.dumps(connection()).encode()
    assert posts(program, iter([whole.ljust(MAX_BODY_BYTES), b"more"]), **headers).status_code == 413
    assert program.lists() == []
    assert posts(program, iter([whole[:20], whole[20:]]), **headers).status_code == 201


@pytest.mark.once
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "The body is empty"),
        (b'{"a": 1,}', "line 1, column"),
        (b'{"a": 1\n "b": 2}', "line 2, column 2"),
        (b'{"NaN": "NaN",\n "a": NaN}', "NaN is not a JSON value"),
        (b'{"a": -Infinity}', "-Infinity is not a JSON value"),
        (b'{"a": [1, 1e999]}', "the number 1e999 is too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "a number with too many digits"),
        (b'{"b": [{"b": 1}, {"b": 1,\n "c": 2, "\\u0062": 3}]}', "the member 'b' is repeated"),
        (b'{"x": 1, "z": {}, "x": 2}', "the member 'x' is repeated"),
        (b'[1e999-5, {"\\q": 1}]', "the number 1e999 is too large"),
        (b"[" * 49_000 + b'{"\\q": 1}', "nested too deeply"),
        (b'{"a": "\xff"}', "not UTF-8: byte 7"),
        (b"[" * 50_000, "nested too deeply"),
    ],
)
def test_body_that_is_not_json_is_refused_with_the_reason(content: bytes, reason: str, standing: Program) -> None:
    payload = posts(standing, content).json()
    assert (payload["statusCode"], payload["code"]) == (400, "body_not_json")
    assert reason in payload["message"]


@pytest.mark.once
@pytest.mark.parametrize("content", [b"[]", b'"text"', b"null", b"1"])
def test_json_other_than_an_object_is_refused(content: bytes, standing: Program) -> None:
    assert posts(standing, content).json()["code"] == "body_not_object"


@pytest.mark.once
def test_nesting_of_any_depth_is_answered(start_site: Callable[..., Site]) -> None:
    """The deepest bodies that can be parsed leave the least stack for the error response."""
    site = start_site(api_rate_limit=10_000)
    program = Program(site, site.api_key("p", "Development"))

    def answer(depth: int) -> int:
        return posts(program, b'{"workspace": ' + b"[" * depth + b"]" * depth + b"}").status_code

    readable, unreadable = 1, 5000
    while unreadable - readable > 1:
        middle = (readable + unreadable) // 2
        readable, unreadable = (middle, unreadable) if answer(middle) != 400 else (readable, middle)
    assert {answer(depth) for depth in range(readable - 30, readable + 1)} == {422}


@pytest.mark.once
@pytest.mark.parametrize(
    ("media", "status"),
    [
        ("application/json; charset=utf-8", 201),
        ("APPLICATION/JSON", 201),
        ("application/json; charset=utf-16", 415),
        ("text/json", 415),
        ("application/vnd.api+json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
def test_body_must_have_the_json_content_type(media: str, status: int, program: Program) -> None:
    assert posts(program, json.dumps(connection()).encode(), Content_Type=media).status_code == status


#: A body with `@` in the place of a text, and the field that is named when the text is invalid.
_TEXTS: dict[str, tuple[str, dict[str, Any]]] = {
    "identifier": ("identifier", {"identifier": "@"}),
    "integration": ("integrationIdentifier", {"integrationIdentifier": "@"}),
    "subscriber": ("subscriberId", {"subscriberId": "@"}),
    "workspace id": ("workspace.id", {"workspace": {"id": "@"}}),
    "workspace name": ("workspace.name", {"workspace": {"id": "T1", "name": "@"}}),
    "bot": ("workspace.botUserId", {"workspace": {"id": "T1", "botUserId": "@"}}),
    "access token": ("auth.accessToken", {"auth": {"accessToken": "@"}}),
    "refresh token": ("auth.refreshToken", {"auth": {"accessToken": "a", "refreshToken": "@"}}),
    "expiry": ("auth.expiresAt", {"auth": {"accessToken": "a", "expiresAt": "@"}}),
    "mode": ("connectionMode", {"connectionMode": "@"}),
    "context type": ("context", {"context": {"@": "x"}}),
    "context id": ("context", {"context": {"x": "@"}}),
}


@pytest.mark.once
@pytest.mark.parametrize("odd", ["\\u0000", "\\ud800"], ids=["NUL", "half a character"])
@pytest.mark.parametrize(("field", "members"), _TEXTS.values(), ids=_TEXTS)
def test_text_that_no_database_can_store_names_its_field(
    field: str, members: dict[str, Any], odd: str, standing: Program
) -> None:
    answer = posts(standing, json.dumps(connection(**members)).replace("@", f"a{odd}b").encode())
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert field in answer.json()["errors"][field]["messages"][0]
    assert standing.lists() == []


def test_slacks_own_ids_have_a_hundred_characters_at_most(program: Program) -> None:
    for workspace in ({"id": "T" * 101}, {"id": "T1", "botUserId": "U" * 101}):
        assert program.creates(workspace=workspace).status_code == 422
    assert program.creates(workspace={"id": "T" * 100, "botUserId": "U" * 100}).status_code == 201


def test_data_of_a_context_is_stored_unchanged_or_refused(program: Program) -> None:
    """It is stored as JSON, where a NUL is an escape; a lone surrogate is no text in any encoding."""
    kept = {"nul\0": "\0", "b": [1, 2.5, None, True, {"ü": "😀"}], "a": 9_007_199_254_740_993}
    assert program.creates(context={"tenant": {"id": "acme", "data": kept}}).status_code == 201
    payload = program.asks("GET", "/v2/contexts/tenant/acme").json()["data"]
    assert (payload, list(payload)) == (kept, list(kept))
    for data in ({"\ud800": 1}, {"a": "\udfff"}, {"a": 2**64}):
        body = connection(subscriberId="bea", context={"tenant": {"id": "b", "data": data}})
        assert list(posts(program, json.dumps(body).encode()).json()["errors"]) == ["context"]


@pytest.mark.once
@pytest.mark.parametrize(
    ("field", "sent", "repeated"),
    [
        ("identifier", "x" * 300 + "/", "x" * 100),
        ("integrationIdentifier", 10**30, str(10**30)),
        ("integrationIdentifier", 2.5, 2.5),
        ("integrationIdentifier", True, True),
        ("integrationIdentifier", ["deep", {"er": 1}], '["deep", {"er": 1}]'),
    ],
)
def test_invalid_value_is_repeated_shortened(field: str, sent: object, repeated: object, standing: Program) -> None:
    assert standing.creates(**{field: sent}).json()["errors"][field]["value"] == repeated


@pytest.mark.once
@pytest.mark.parametrize(
    "auth", ["xoxb-1-secret", ["xoxb-1-secret"], {"accessToken": ["xoxb-1-secret"]}, {"x": "xoxb-1"}]
)
def test_nothing_below_auth_is_repeated(auth: object, standing: Program) -> None:
    answer = standing.creates(auth=auth)
    assert answer.status_code == 422
    assert "xoxb" not in answer.text


_PATHS = {
    "%2525": "connection_not_found",
    "%2e%2e": "connection_not_found",
    "%00": "connection_not_found",
    "%ED%A0%80": "connection_not_found",
    "a%5Cb": "connection_not_found",
    "%20c": "connection_not_found",
    "c%3Flimit=1": "connection_not_found",
    "c;v=1": "connection_not_found",
    "%63%63": "connection_not_found",
    "c%2Fd": "not_found",
    "%FF": "connection_not_found",
    "c//": "not_found",
    "/c": "not_found",
}


@pytest.mark.parametrize(("path", "code"), _PATHS.items(), ids=_PATHS)
def test_address_is_decoded_once_and_never_normalized(path: str, code: str, program: Program) -> None:
    assert program.creates(identifier="c").status_code == 201
    answer = program.client.get(f"{LIST}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, code)
    for same in ("%63", "c/"):
        assert program.client.get(f"{LIST}/{same}").status_code == 200


@pytest.mark.parametrize(
    "identifier", ["ü" * 255, "😀" * 255, "接続-1", "a b", "a;b=c&d+e", "ادا", ".a", "...", "'\"<b>"]
)
def test_identifier_of_any_script_is_found_again(identifier: str, program: Program) -> None:
    assert program.creates(identifier=identifier).json()["identifier"] == identifier
    payload = program.client.get(f"{LIST}/{quote(identifier)}")
    assert payload.json()["identifier"] == identifier
    assert program.lists() == [identifier]


@pytest.mark.once
@pytest.mark.parametrize(
    "identifier", ["", "x" * 256, "a/b", "a%b", "a?b", "a#b", "a\\b", ".", "..", " a", "a ", "a\nb", "a\ufffdb"]
)
def test_identifier_that_no_url_can_contain_is_refused(identifier: str, standing: Program) -> None:
    assert list(standing.creates(identifier=identifier).json()["errors"]) == ["identifier"]


@pytest.mark.once
@pytest.mark.parametrize(
    ("given", "kept"), [("abc-1.X_y:z", True), ("a" * 128, True), ("a" * 129, False), ("a b", False), ("<x>", False)]
)
def test_valid_request_id_of_the_caller_is_kept(given: str, kept: bool, standing: Program) -> None:
    answer = standing.asks("GET", f"{LIST}/nobody", X_Request_Id=given)
    assert (answer.headers["X-Request-Id"] == given) is kept
    assert answer.json()["requestId"] == answer.headers["X-Request-Id"]
