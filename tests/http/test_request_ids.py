"""Each request has an id, which its response and its log lines carry."""

import json

import pytest
from sqlalchemy import text

from onboarding.http.api_requests import is_api_request
from onboarding.http.route_access import is_for_api_keys
from tests.browser_client import BrowserClient, Site

pytestmark = pytest.mark.once

ADDRESSES = ["/", "/sign-in", "/nowhere", "/healthz", "/static/css/base.css", "/v1/channel-connections", "/v1/nowhere"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_answer_carries_the_id_that_the_caller_sent(address: str, customer: BrowserClient) -> None:
    answer = customer.asks("GET", address, headers={"X-Request-Id": "abc-1.X_y:z"})
    assert answer.headers.get_list("X-Request-Id") == ["abc-1.X_y:z"]


@pytest.mark.parametrize("given", ["", "a b", "<x>", "a" * 129])
def test_a_malformed_id_is_replaced(given: str, customer: BrowserClient) -> None:
    answers = [customer.asks("GET", "/sign-in", headers={"X-Request-Id": given}) for _ in range(2)]
    first, second = (answer.headers["X-Request-Id"] for answer in answers)
    assert first.startswith("req_")
    assert len({first, second, given}) == 3


def test_a_page_logs_its_id(site: Site, operator: BrowserClient, caplog: pytest.LogCaptureFixture) -> None:
    with site.runtime.database.transaction() as session:
        session.execute(text("ALTER TABLE channel_connections RENAME TO channel_connections_away"))
    answer = operator.asks("GET", "/connections", headers={"X-Request-Id": "from-the-proxy"})
    lines = [json.loads(record.getMessage()) for record in caplog.records if "page.database_gone" in record.message]
    assert answer.status_code == 503
    assert [line["request_id"] for line in lines] == ["from-the-proxy"]


def test_the_address_says_which_requests_are_the_api_s(site: Site) -> None:
    for rule in site.app.url_map.iter_rules():
        with site.app.test_request_context(rule.rule):
            assert is_api_request() == rule.endpoint.startswith("api."), rule.rule
            assert is_api_request() or not is_for_api_keys(site.app.view_functions[rule.endpoint]), rule.rule
