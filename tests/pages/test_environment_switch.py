"""The console shows one environment, which its address names. Pages keep it; an operator elsewhere gets nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from sqlalchemy import inspect, text
from werkzeug.routing import Rule

from onboarding.callers import SHELL
from onboarding.http import route_access
from onboarding.services.links.records import NewLink
from onboarding.services.webhooks.records import NewWebhookEndpoint
from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock, copied, sites

#: In everything of the other environment, and nowhere else.
MARK = "birch"
HOME = "environment=Production"
#: Pages of the whole deployment, which show no environment.
EVERYWHERE = ("operators.", "slack_sign_in.", "openapi.")

#: Shows a connection that is gone.
AFTER_A_DISCONNECT = {"connections.disconnected"}


@dataclass
class Plant:
    """A site with a second environment, and what is in it: the values of the arguments of addresses."""

    site: Site
    values: dict[str, str]


@pytest.fixture(scope="module")
def plant(empty_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    folder, clock = tmp_path_factory.mktemp("plant"), Clock()
    with copied(empty_database, folder) as url, sites(url, folder, clock) as start:
        site = start()
        site.add_environment("Production")
        site.add_practice_app(f"{MARK}-app", f"{MARK} app", "Production")
        site.allow_origin(f"https://{MARK}.example", f"{MARK}-app", "Production")
        site.api_key(f"{MARK}-key", "Production")
        production = site.runtime.environments.named("Production")
        new = NewWebhookEndpoint(f"https://{MARK}.example/hook", description=f"{MARK} hook")
        endpoint = site.runtime.webhooks.endpoints.create(production.id, new, SHELL)
        with BrowserClient(site) as customer:
            links = [
                site.runtime.links.create(
                    NewLink(integration=f"{MARK}-app", environment="Production", subscriber_id=f"{MARK}-{one}"), SHELL
                )
                for one in (1, 2)
            ]
            connected = customer.connects(links[0].url)
            assert connected.outcome == "connected"
        key = site.runtime.api_keys.all_of("Production")[0]
        connection = _scalar(site, "SELECT identifier FROM channel_connections")
        reference = connected.main.get("data-reference") or ""
        yield Plant(
            site,
            {
                "identifier": connection,
                "reference": reference,
                "link_id": links[1].id,
                "key_id": key.id,
                "integrations": f"{MARK}-app",
                "environment_id": production.id,
                "endpoint_id": endpoint.id,
                "delivery_id": _scalar(site, "SELECT id FROM webhook_deliveries"),
            },
        )


@pytest.fixture
def ada(plant: Plant) -> Iterator[BrowserClient]:
    with BrowserClient(plant.site) as person:
        person.signs_in("ada@northwind.test")
        yield person


def test_every_page_and_its_links_keep_the_environment(plant: Plant, ada: BrowserClient) -> None:
    waiting, seen = [f"{plant.site.settings.origin}/connections?{HOME}"], set[str]()
    while waiting:
        address = waiting.pop()
        if urlsplit(address).path.endswith((".csv", ".json")):
            continue
        page = ada.opens(address)
        assert page.status == 200, address
        for target in _targets(plant, page):
            assert parse_qs(urlsplit(target).query).get("environment") == ["Production"], (address, target)
            path = urlsplit(target).path
            if path not in seen:
                seen.add(path)
                waiting.append(target)
    console = {rule.endpoint for rule in _console_rules(plant)}
    reached = {_endpoint(plant, path) for path in seen}
    assert len(reached) >= 20
    assert reached <= console
    assert reached >= {
        "connections.show", "links.show", "attempts.show", "integrations.show", "api_keys.revoke",
        "webhooks.secret", "webhook_deliveries.show",
    }  # fmt: skip


def test_operator_of_another_environment_gets_nothing(plant: Plant, ada: BrowserClient) -> None:
    before = _rows_there(plant)
    token = ada.opens("/links").csrf_token
    for rule in _console_rules(plant):
        address = _filled(plant, rule)
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            data = {"csrf_token": token} if method == "POST" else None
            answer = ada.asks(method, address, data=data)
            where = (method, address, answer.status_code)
            # A page or redirect may repeat what the address itself says.
            assert MARK not in answer.text.replace(plant.values["integrations"], ""), where
            is_known = rule.arguments and rule.arguments <= set(plant.values)
            assert not is_known or answer.status_code in (303, 400, 404, 422), where
    assert _rows_there(plant) == before


def test_the_same_addresses_show_it_in_its_environment(plant: Plant, ada: BrowserClient) -> None:
    for rule in _console_rules(plant):
        is_known = rule.arguments and rule.arguments <= set(plant.values) and rule.endpoint not in AFTER_A_DISCONNECT
        if is_known and "GET" in (rule.methods or set()):
            answer = ada.asks("GET", f"{_filled(plant, rule)}?{HOME}")
            assert answer.status_code == 200, rule.rule


def test_stranger_and_unknown_environment_get_a_page(plant: Plant, ada: BrowserClient) -> None:
    assert ada.opens("/connections?environment=Nowhere").status == 404
    with BrowserClient(plant.site) as stranger:
        for name in ("Production", "Nowhere"):
            page = stranger.opens(f"/connections?environment={name}")
            assert (page.status, MARK in page.text) == (401, False)
        assert MARK not in stranger.opens(f"/sign-in?{HOME}").text


def test_environment_without_an_integration_has_its_pages(site: Site, operator: BrowserClient) -> None:
    site.add_environment("Empty")
    for path in ("connections", "links", "attempts", "integrations", "api-keys", "audit"):
        assert operator.opens(f"/{path}?environment=Empty").status == 200, path


def test_switch_leads_to_the_same_list(ada: BrowserClient) -> None:
    page = ada.opens("/api-keys")
    choices = {
        one.get("data-environment"): one.get("href", "") for one in page.root.iter("a") if one.get("data-environment")
    }
    assert choices == {"Development": "/api-keys", "Production": f"/api-keys?{HOME}"}
    assert f"{MARK}-key" in ada.opens(choices["Production"] or "").text
    assert f"{MARK}-key" not in ada.opens(choices["Development"] or "").text


def test_changes_are_in_the_environment_of_the_page(plant: Plant, ada: BrowserClient) -> None:
    form = ada.opens(f"/links/new?{HOME}")
    created = ada.presses(form, "create-link", subscriber_id=f"{MARK}-new", mode="", lifetime="7")
    assert (created.name, HOME in created.url) == ("link", True)
    found = plant.site.runtime.links.newest(plant.values["environment_id"])
    assert found[0].subscriber_id == f"{MARK}-new"


def test_own_install_comes_back_to_its_environment(ada: BrowserClient) -> None:
    setup = ada.allows(ada.presses(ada.opens(f"/slack/install?{HOME}"), "connect"), "T0ACMETEST")
    done = ada.presses(setup, "save", connection_mode="subscriber", subscriber_id=f"{MARK}-own")
    assert done.outcome == "connected"
    links = [one.get("href", "") for one in done.main.iter("a") if "/connections/" in one.get("href", "")]
    assert links
    assert all(HOME in one for one in links)


def _console_rules(plant: Plant) -> list[Rule]:
    app = plant.site.app
    return [
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        and not rule.endpoint.startswith(EVERYWHERE)
        and not route_access.is_public(app.view_functions[rule.endpoint])
        and not route_access.is_for_api_keys(app.view_functions[rule.endpoint])
    ]


def _filled(plant: Plant, rule: Rule) -> str:
    values = plant.values
    if rule.rule.startswith("/integrations/"):
        values = values | {"identifier": values["integrations"]}
    return str(
        rule.map.bind("").build(rule.endpoint, {one: values.get(one, "csv") for one in rule.arguments}, method=None)
    )


def _targets(plant: Plant, page: Page) -> Iterator[str]:
    """Yield the addresses of console pages that a page leads to: links, and forms with their hidden field."""
    for link in page.root.iter("a"):
        if "data-environment" not in link.attrib and _is_console(
            plant, target := urljoin(page.url, link.get("href", ""))
        ):
            yield target
    for form in page.root.iter("form"):
        target = urljoin(page.url, form.get("action") or page.url)
        if form.get("method") == "get":
            kept = [one.get("value") for one in form.iter("input") if one.get("name") == "environment"]
            assert kept == ["Production"], (page.url, form.get("action"))
        elif _is_console(plant, target):
            assert HOME in target, (page.url, target)


def _is_console(plant: Plant, address: str) -> bool:
    if not address.startswith(plant.site.settings.origin):
        return False
    endpoint = _endpoint(plant, urlsplit(address).path)
    return endpoint in {rule.endpoint for rule in _console_rules(plant)}


def _endpoint(plant: Plant, path: str) -> str:
    adapter = plant.site.app.url_map.bind("")
    for method in ("GET", "POST"):
        if adapter.test(path, method):
            return str(adapter.match(path, method)[0])
    return ""


def _scalar(site: Site, query: str) -> str:
    with site.runtime.database.reading() as session:
        return str(session.execute(text(query)).scalar_one())


def _rows_there(plant: Plant) -> dict[str, list[str]]:
    """Return the rows of the other environment, from all tables."""
    with plant.site.runtime.database.engine.connect() as connection:
        names = inspect(connection).get_table_names()
        rows = {name: connection.execute(text(f"SELECT * FROM {name}")).all() for name in names}  # noqa: S608  # names of ours
    marks = (MARK, plant.values["environment_id"])
    return {
        name: sorted(row for row in map(repr, found) if any(one in row for one in marks))
        for name, found in rows.items()
    }
