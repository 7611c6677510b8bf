"""For any input, the response is a page of ours with the right status, and no data is lost."""

import http.client
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests import contract, plain_http, postgres
from tests.browser_client import BrowserClient, Site

ODD = {"nul": "%00", "lone surrogate": "%ED%A0%80", "half a character": "%C3", "too long": "x" * 5000}
WHERE = (
    "/connect/{}",
    "/sign-in/{}",
    "/slack/result/{}",
    "/slack/result/{}/status",
    "/slack/setup/{}",
    "/connections/{}",
    "/connections/{}/disconnect",
    "/connections/{}/disconnected",
    "/nothing/{}",
    "/?q={}",
    "/connections?q={}",
    "/connections?status={}",
    "/connections?integration={}",
    "/connections?mode={}",
    "/connections?context={}",
    "/connections?after={}",
    "/connections?before={}",
    "/slack/install?integration={}",
    "/slack/oauth_redirect?state={}&code={}",
    "/slack/oauth_redirect?state=a&error={}",
    "/slack/oauth_redirect?{}=1",
)


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_odd_text_in_an_address_is_never_a_500(operator: BrowserClient, odd: str) -> None:
    for address in WHERE:
        answer = operator.asks("GET", address.replace("{}", odd))
        assert answer.status_code < 500, address
        _is_calm(answer)


@pytest.mark.parametrize("odd", ["a\0b", "\ud800", "x" * 5000], ids=["nul", "lone surrogate", "too long"])
def test_odd_text_in_a_form_is_never_a_500(site: Site, operator: BrowserClient, odd: str) -> None:
    setup = operator.allows(operator.presses(operator.opens("/slack/install"), "connect"))
    path = setup.url.removeprefix(site.settings.origin)
    base = {"csrf_token": setup.csrf_token, "connection_mode": "subscriber", "subscriber_id": "cy"}
    for field in ("connection_mode", "subscriber_id", "contexts-0-type", "contexts-0-id", "offered_context"):
        other = {"contexts-0-type": "tenant", "contexts-0-id": "c1"} if field.startswith("contexts") else {}
        answer = operator.asks("POST", path, content=_form({**base, **other, field: odd}), headers=_FORM)
        assert answer.status_code in (303, 400, 422), (field, answer.status_code)
        _is_calm(answer)
        if answer.status_code == 303:
            return
    answer = operator.asks("POST", "/slack/install", content=_form({**base, "integration": odd}), headers=_FORM)
    assert answer.status_code in (400, 404)


def test_query_of_a_megabyte_is_answered(site: Site) -> None:
    for address in ("/slack/oauth_redirect", "/no/such/page"):
        status, body = _raw(site, f"127.0.0.1:{site.settings.port}", f"{address}?state={'x' * 1_000_000}")
        assert status in (400, 404, 414, 431)
        assert b"Traceback" not in body


def test_body_of_a_megabyte_is_refused(customer: BrowserClient) -> None:
    answer = customer.asks("POST", "/sign-out", content=b"x=" + b"y" * 1_000_000, headers=_FORM)
    assert answer.status_code == 413
    _is_calm(answer)


def test_unknown_address_has_our_page(customer: BrowserClient) -> None:
    page = customer.opens("/no/such/page")
    assert (page.status, page.name) == (404, "problem")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "WHATEVER"])
def test_wrong_method_has_our_page_or_names_the_allowed_ones(customer: BrowserClient, method: str) -> None:
    answer = customer.asks(method, "/signed-out")
    assert answer.status_code == (200 if method == "OPTIONS" else 405)
    assert answer.headers["Allow"]
    if method != "OPTIONS":
        _is_calm(answer)


@pytest.mark.parametrize("cookie", ["session=x", "session=", "session=a.b.c", "attempt_aaaaaaaa=\xff", "=", "session"])
def test_tampered_cookie_signs_nobody_in_and_breaks_nothing(customer: BrowserClient, cookie: str) -> None:
    answer = customer.asks("GET", "/connections", headers={b"Cookie": cookie.encode("latin-1")})
    assert answer.status_code == 401
    _is_calm(answer)


def test_session_changed_by_one_character_signs_nobody_in(operator: BrowserClient) -> None:
    cookie = operator.cookies["session"]
    changed = cookie[:-1] + ("A" if cookie[-1] != "A" else "B")
    first = ("B" if cookie[0] != "B" else "C") + cookie[1:]
    assert operator.asks("GET", "/connections").status_code == 200
    with BrowserClient(operator.site) as other:
        for bad in (changed[:-4], first):
            assert other.asks("GET", "/connections", headers={"Cookie": f"session={bad}"}).status_code == 401


@pytest.mark.parametrize("token", ["", "forged", "\0"], ids=["none", "forged", "nul"])
def test_forged_form_changes_nothing(operator: BrowserClient, token: str) -> None:
    for address in ("/sign-out", "/connections/chconn_1/disconnect", "/slack/result/att_1/replace"):
        answer = operator.asks("POST", address, data={"csrf_token": token})
        assert answer.status_code == 400
        assert "\0" in token or "Nothing was changed" in answer.text
        _is_calm(answer)
    assert operator.asks("GET", "/connections").status_code == 200


@pytest.mark.parametrize("host", ["evil.example.com", "127.0.0.1.evil.example.com", "[", "a b", "", "10.0.0.1"])
def test_practice_mode_refuses_other_host_names(site: Site, host: str) -> None:
    status, body = _raw(site, host, "/")
    assert status in (400, 421)
    assert b"Traceback" not in body


def test_localhost_is_redirected_to_the_host_of_the_cookies(site: Site, visitor: BrowserClient) -> None:
    answer = visitor.asks("GET", "/connections?q=a%26b", headers={"Host": f"localhost:{site.settings.port}"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{site.settings.origin}/connections?q=a%26b"


def test_outside_practice_mode_the_host_is_not_checked(start_site: Callable[..., Site]) -> None:
    live = start_site(public_url="https://connect.example.com")
    answer = plain_http.get(f"http://127.0.0.1:{live.settings.port}/", headers={"Host": "evil.example.com"})
    assert answer.status_code == 200
    assert "evil" not in answer.text + str(answer.headers)


def test_start_button_of_an_old_session_shows_the_start_page_again(operator: BrowserClient) -> None:
    answer = operator.asks("POST", "/slack/install", data={"csrf_token": "forged", "integration": "slack-practice"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/slack/install")
    assert "attempt_" not in answer.headers.get("Set-Cookie", "")


def test_missing_database_is_reported_and_the_next_request_succeeds(
    site: Site, operator: BrowserClient, tmp_path: Path
) -> None:
    consent = operator.presses(operator.opens(site.link()), "connect")
    # The check of the keys is remembered for some seconds, the database is asked each time.
    assert operator.asks("GET", "/readyz").status_code == 200
    back = _database_gone(site, tmp_path)
    for address in ("/", "/connections", "/connections/chconn_1", "/slack/install", "/readyz", "/sign-in/x"):
        answer = operator.asks("GET", address)
        assert answer.status_code == 503, address
        if address != "/readyz":
            _is_calm(answer)
    assert operator.asks("GET", "/healthz").status_code == 200
    if back is not None:
        back()
        assert operator.allows(consent).outcome == "connected"


def test_callback_during_a_database_outage_can_be_repeated(site: Site, visitor: BrowserClient, tmp_path: Path) -> None:
    consent = visitor.presses(visitor.opens(site.link()), "connect")
    form = consent.form_of("allow")
    values = {one.get("name", ""): one.get("value", "") for one in form.iter("input") if one.get("name")}
    callback = visitor.asks("POST", consent.url, data={**values, "workspace": "T0ACMEHQ01"}).headers["Location"]
    back = _database_gone(site, tmp_path)
    page = visitor.opens(callback)
    assert (page.status, page.outcome) == (500, "storage_error")
    if back is not None:
        back()
        assert visitor.opens(callback).outcome == "connected"


def _database_gone(site: Site, tmp_path: Path) -> Callable[[], None] | None:
    """Take the database away. Returns a function that restores it, where that is possible."""
    database = site.runtime.database
    if not database.is_sqlite:
        postgres.drop(site.settings.database_url.get_secret_value())
        return None
    file, away = Path(database.url.database or ""), tmp_path / "away"
    away.mkdir()
    database.close()
    moved = [one.rename(away / one.name) for one in file.parent.glob(f"{file.name}*")]
    file.mkdir()

    def back() -> None:
        database.close()
        file.rmdir()
        for one in moved:
            one.rename(file.parent / one.name)

    return back


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _form(values: dict[str, str]) -> bytes:
    """Encode a form as a program without checks does: httpx itself would refuse a lone surrogate."""

    def quoted(text: str) -> str:
        return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))

    return "&".join(f"{quoted(name)}={quoted(value)}" for name, value in values.items()).encode()


def _raw(site: Site, host: str, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", site.settings.port, timeout=10)
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def _is_calm(answer: httpx.Response) -> None:
    """Return whether the response is a page of ours (or small JSON) without any text of a Python error."""
    assert not any(word in answer.text for word in ("Traceback", "sqlalchemy", "psycopg", "werkzeug", 'File "'))
    if answer.headers.get("Content-Type", "").startswith("text/html") and answer.status_code not in (301, 302, 303):
        contract.check(answer)
