"""The settings in the console: API keys, operators and the audit log. Viewers see them and change nothing."""

import csv
import io
import re
from collections.abc import Iterator

import pytest

from onboarding.callers import SHELL
from onboarding.services.audit_log import AuditSearch
from onboarding.store import audit
from onboarding.store.audit import NewEntry
from tests.audit import entries
from tests.browser_client import BrowserClient, Page, Site, client_of
from tests.conftest import Clock, copied, sites

ADA = "operator:ada@northwind.test"


@pytest.fixture(scope="module")
def office(empty_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder, clock = tmp_path_factory.mktemp("office"), Clock()
    with copied(empty_database, folder) as url, sites(url, folder, clock) as start:
        yield start()


@pytest.fixture
def ada(office: Site) -> Iterator[BrowserClient]:
    """Ada, an operator."""
    with BrowserClient(office) as person:
        person.signs_in("ada@northwind.test")
        yield person


@pytest.fixture
def vera(office: Site) -> Iterator[BrowserClient]:
    """Vera, a viewer. Ada is listed beside her in every order of the tests."""
    office.sign_in_url("ada@northwind.test")
    office.sign_in_url("vera@northwind.test", "viewer")
    with BrowserClient(office) as person:
        person.signs_in("vera@northwind.test")
        yield person


def test_key_is_shown_once_and_works_within_its_scopes(office: Site, ada: BrowserClient) -> None:
    created = _creates_key(ada, "billing", "connections:read", "90")
    key = created.main.find(".//*[@id='api-key']")
    assert key is not None
    assert created.name == "api-key-created"
    with client_of(office, headers={"Authorization": f"Bearer {key.text}"}) as program:
        assert program.get("/v1/channel-connections").status_code == 200
        assert program.post("/v2/subscribers", json={"subscriberId": "x"}).status_code == 403
    listed = ada.opens("/api-keys")
    assert (key.text or "") not in listed.text
    assert "connections:read" in listed.text
    assert _newest(office, 1) == [("api_key.created", ADA)]


def test_key_is_revoked_after_a_question(office: Site, ada: BrowserClient) -> None:
    key = _creates_key(ada, "sync", "links:write", "").main.find(".//*[@id='api-key']")
    assert key is not None
    listed = ada.opens("/api-keys")
    question = ada.opens(_row(listed, "data-key", "sync") + "/revoke")
    assert question.name == "revoke-api-key"
    assert "Revoked" in ada.presses(question, "revoke-api-key").text
    assert ada.presses(question, "revoke-api-key").name == "api-keys", "twice is once"
    with client_of(office, headers={"Authorization": f"Bearer {key.text}"}) as program:
        assert program.get("/v1/channel-connections").status_code == 401
    assert _newest(office, 2) == [("api_key.revoked", ADA), ("api_key.created", ADA)]


@pytest.mark.parametrize(
    ("name", "scopes", "wrong"),
    [("", "links:write", "1 to 100 characters"), ("twice", "links:write", "exists"), ("x", "", "at least one scope")],
)
def test_key_that_cannot_be_created_is_explained(name: str, scopes: str, wrong: str, ada: BrowserClient) -> None:
    if name == "twice":
        _creates_key(ada, name, scopes, "")
    page = _creates_key(ada, name, scopes, "")
    assert (page.status, page.name) == (422, "new-api-key")
    assert wrong in page.text


def test_person_is_invited_by_a_link_that_is_shown_once(office: Site, ada: BrowserClient) -> None:
    page = ada.presses(
        ada.opens("/operators/new"), "send-invite", way="email", person="bob@northwind.test", role="viewer"
    )
    link = page.main.find(".//*[@id='sign-in-link']")
    assert link is not None
    with BrowserClient(office) as bob:
        bob.presses(bob.opens(link.text or ""), "sign-in")
        assert bob.opens("/slack/install").status == 403
    assert sorted(_newest(office, 2)) == [("operator.added", ADA), ("operator.invited", ADA)]


def test_person_is_listed_by_slack_ids(office: Site, ada: BrowserClient) -> None:
    form = ada.opens("/operators/new")
    wrong = ada.presses(form, "send-invite", way="slack", person="U0BEA", role="viewer")
    assert (wrong.status, "T0123ABCD/U0456EFGH" in wrong.text) == (422, True)
    page = ada.presses(form, "send-invite", way="slack", person="t0acmehq01/u0bea", role="viewer")
    assert (page.name, page.heading) == ("added", "T0ACMEHQ01/U0BEA can sign in")
    (found,) = [one for one in office.runtime.operators.list_all() if one.slack_user_id == "U0BEA"]
    assert found.role == "viewer"


def test_role_sessions_and_removal_take_effect_at_once(office: Site, ada: BrowserClient) -> None:
    with BrowserClient(office) as cy:
        cy.signs_in("cy@northwind.test")
        address = _row(ada.opens("/operators"), "data-operator", "cy@northwind.test")
        ada.presses(ada.opens(address), "save-role", role="viewer")
        assert cy.opens("/slack/install").status == 403
        ada.presses(ada.opens(address), "end-sessions")
        assert cy.opens("/connections").status == 401
        link = ada.presses(ada.opens(address), "new-sign-in-link")
        assert link.name == "invited"
        question = ada.opens(f"{address}/remove")
        assert ada.presses(question, "confirm-remove-operator").name == "operators"
        assert "cy@northwind.test" not in ada.opens("/operators").text
    done = ("operator.removed", "operator.invited", "operator.signed_out", "operator.role_changed")
    assert _newest(office, 4) == [(one, ADA) for one in done]


def test_operator_cannot_lock_themselves_out(office: Site, ada: BrowserClient) -> None:
    page = ada.opens(_row(ada.opens("/operators"), "data-operator", "ada@northwind.test"))
    assert "This is you" in page.text
    assert "Remove" not in page.text
    for path, data in (("role", {"role": "viewer"}), ("remove", {})):
        answer = ada.asks("POST", f"{page.url}/{path}", data={"csrf_token": page.csrf_token, **data})
        assert answer.status_code == 400
    assert ada.opens("/slack/install").status == 200
    assert office.runtime.operators.list_all()


def test_team_is_allowed_and_removed(office: Site, ada: BrowserClient) -> None:
    wrong = ada.presses(ada.opens("/operators"), "allow-team", team_id="acme")
    assert (wrong.status, "T0123ABCD" in wrong.text) == (422, True)
    page = ada.presses(ada.opens("/operators"), "allow-team", team_id="t0northwnd")
    assert 'data-team="T0NORTHWND"' in page.text
    for _ in range(2):
        ada.asks("POST", "/operators/teams/T0NORTHWND/remove", data={"csrf_token": page.csrf_token})
    assert "T0NORTHWND" not in [one.team_id for one in office.runtime.operators.teams()]
    assert _newest(office, 2) == [("team.removed", ADA), ("team.allowed", ADA)]


def test_audit_log_is_filtered_and_paged(office: Site, ada: BrowserClient) -> None:
    office.api_key("of-the-audit")
    for number in range(40):
        office.runtime.operators.allow_team(f"T0TEAM{number:03}", SHELL)
    first = ada.opens("/audit?action=team.allowed&actor=shell")
    assert first.text.count('data-audit="team.allowed"') == 25
    assert "T0TEAM039" in first.text
    second = ada.opens(first.link("next"))
    assert "T0TEAM000" in second.text
    assert "T0TEAM039" not in second.text
    assert ada.opens(second.link("prev")).text.count("data-audit=") == 25
    found = ada.opens("/audit?subject=of-the-audit")
    assert re.findall(r'data-audit="([a-z_.]+)"', found.text) == ["api_key.created"]
    assert "data-audit=" not in ada.opens("/audit?actor=nobody").text
    assert ada.opens("/audit?after=broken").status == 400
    for query, words in (("action=eaten", "Action “eaten” is unknown"), ("since=2", "Time “2” is unknown")):
        page = ada.opens(f"/audit?{query}")
        assert words in page.text
        assert "export-audit" not in page.text, "it would export everything"


def test_audit_log_names_an_api_key_by_its_name(office: Site, ada: BrowserClient) -> None:
    key = office.api_key("named-key")
    with client_of(office, headers={"Authorization": f"Bearer {key}"}) as program:
        program.post("/v2/subscribers", json={"subscriberId": "of-named-key"})
    page = ada.opens("/audit?actor=named-key")
    assert 'data-audit="subscriber.created"' in page.text


def test_export_is_whole_and_no_formula(office: Site, ada: BrowserClient) -> None:
    formula = "=HYPERLINK(1)"
    with office.runtime.database.transaction() as session:
        environment_id = office.runtime.environments.first().id
        audit.add(
            session,
            NewEntry("aud_f", environment_id, Clock()(), "system", "context.created", formula, "+1", None, "@x"),
        )
    answer = ada.asks("GET", "/audit.csv?action=context.created")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(one["Subject"], one["Subject name"], one["Detail"]) for one in rows] == [(f"'{formula}", "'+1", "'@x")]
    everything = ada.asks("GET", "/audit.csv").text.count("\r\n") - 1
    ours = office.runtime.environments.first().id
    assert everything == len([one for one in entries(office.runtime.database) if one.environment_id in (ours, None)])


def test_entries_of_another_environment_are_not_listed(office: Site, ada: BrowserClient) -> None:
    office.add_environment("Elsewhere")
    office.api_key("key-of-elsewhere", "Elsewhere")
    assert "data-audit=" not in ada.opens("/audit?subject=key-of-elsewhere").text
    assert ada.asks("GET", "/audit.csv?subject=key-of-elsewhere").text.count("\r\n") == 1
    assert "key-of-elsewhere" not in ada.opens("/api-keys").text


def test_viewer_sees_the_settings_without_buttons(office: Site, vera: BrowserClient) -> None:
    office.api_key("seen-by-vera")
    keys, listed, log = (vera.opens(address) for address in ("/api-keys", "/operators", "/audit"))
    assert "seen-by-vera" in keys.text
    person = vera.opens(_row(listed, "data-operator", "ada@northwind.test"))
    assert [page.status for page in (keys, listed, log, person)] == [200] * 4
    for page in (keys, listed, log, person):
        assert [one.get("data-action") for one in page.root.iter("button") if one.get("data-action")] == [
            "sign-out"
        ] * 2
        assert not [one for one in page.main.iter("form") if one.get("method") == "post"]


def _creates_key(person: BrowserClient, name: str, scope: str, lifetime: str) -> Page:
    token = person.opens("/api-keys/new").csrf_token
    data = {"csrf_token": token, "name": name, "lifetime": lifetime, **({"scopes": scope} if scope else {})}
    return person._page(person.asks("POST", "/api-keys/new", data=data))


def _row(page: Page, hook: str, words: str) -> str:
    """Return the address of the object whose row contains these words."""
    for row in page.main.iter("tr"):
        if hook in row.attrib and words in "".join(row.itertext()):
            return f"{page.url.partition('?')[0]}/{row.get(hook)}"
    raise AssertionError(f"no row with {words} on {page.url}")


def _newest(site: Site, count: int) -> list[tuple[str, str]]:
    """Return the newest actions with their actors."""
    lines = site.runtime.audit_log.export(site.runtime.environments.first().id, AuditSearch())
    return [(one.action, f"{one.actor_kind}:{one.actor}") for one, _ in zip(lines, range(count), strict=False)]
