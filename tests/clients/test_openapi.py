"""schemathesis tests the API by its own description, with every check except one.

The description says which responses there are and what each value may be. `positive_data_acceptance` expects a success
for every request that it allows; docs/api.md lists the rules that no description can say, and this module checks that
no others refuse such a request.

To look further than `make test`, start a server and run `schemathesis run $API/openapi.json -H "Authorization: ApiKey
$API_KEY" --checks all --exclude-checks positive_data_acceptance --max-examples 200`.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.browser_client import Site, client_of
from tests.clients.bodies import connection, endpoint
from tests.clients.conftest import bare, fill, key_for
from tests.examples import examples

pytestmark = pytest.mark.slow

#: Existing rows, by the name of the path's parameter.
THERE = {"identifier": "there", "type": "tenant", "id": "org-123", "subscriberId": "bea", "subscriber_id": "bea"}
#: The codes of errors that a described request may get, as docs/api.md explains. Other statuses than these two are
#: expected: the object does not exist, or it exists already.
EXPLAINED = {
    400: {"context_required", "subscriber_required", "owner_required", "cursors_conflict", "cursor_unknown"},
    422: {"idempotency_key_reused"},
}
_EXPLAINED_MESSAGE = re.compile(
    "no control character$|^Endpoint must match the required format for type |data must be JSON of UTF-8 text and numbers of 64 bits"
    "|^(Each context type|A link has|A connection has) |must not contain control characters or begin or end with white space"
    # Its pattern cannot name the invisible characters beyond U+FFFF.
    "|must not contain invisible characters, such as|must have 1 to 255 visible characters"
)
_PAGES = {"returnUrl", "refreshUrl", "url"}


@pytest.fixture
def filled(shop: Site) -> Site:
    fill(
        shop,
        ("/v1/channel-connections", connection(identifier="there")),
        ("/v2/contexts", {"type": "tenant", "id": "org-123"}),
        ("/v1/channel-endpoints", endpoint(identifier="there")),
    )
    return shop


@pytest.mark.parametrize("there", [True, False], ids=["what is there", "what is described"])
def test_described_request_is_accepted_or_refused_by_a_rule_that_is_explained(filled: Site, there: bool) -> None:
    schema = schemathesis.openapi.from_dict(_with_one_way_to_authenticate(filled))
    schema.config.update(base_url=filled.settings.origin)
    found = list(schema.get_all_operations())
    assert len(found) >= 20
    headers = {"Authorization": f"ApiKey {key_for(filled)}"}
    for one in found:
        assert isinstance(one, Ok)
        known = _existing(filled, one.ok().path) if there else {}
        _walk(one.ok().as_strategy(generation_mode=GenerationMode.POSITIVE), known, headers)


# Requests outside the limits are refused before the database is asked; test_hostile_bodies.py sends values that only
# one of the databases can store.
@pytest.mark.once
@pytest.mark.parametrize(
    "phases",
    [
        ("--phases", "fuzzing", "--mode", "negative", "--max-examples", "9"),
        # Each limit, each missing or repeated value, and each method: these have no number of examples.
        ("--phases", "examples,coverage"),
    ],
    ids=["what is not described", "limits"],
)
def test_schemathesis_finds_nothing(filled: Site, phases: tuple[str, ...], tmp_path: Path) -> None:
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(_with_one_way_to_authenticate(filled)), encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", str(document), "--url", filled.settings.origin, *phases, "-H",
         f"Authorization: ApiKey {key_for(filled)}", "--checks", "all", "--exclude-checks",
         "positive_data_acceptance", "--generation-deterministic", "--no-color", "--warnings", "off"],
        capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout


def _existing(site: Site, path: str) -> dict[str, str]:
    """Return the path parameters of existing rows. The server generates the ids of webhook endpoints and deliveries."""
    if not path.startswith("/v1/webhook-"):
        return THERE
    with bare(site) as http:
        added = http.post("/v1/webhook-endpoints", json={"url": "http://127.0.0.1:9/hook"}).json()["id"]
        sent = http.post(f"/v1/webhook-endpoints/{added}/test").json()["id"]
    return {"id": sent if path.startswith("/v1/webhook-deliveries") else added}


def _with_one_way_to_authenticate(site: Site) -> dict[str, Any]:
    """Return the description without the session token: with a choice, schemathesis makes no invalid requests."""
    with client_of(site) as client:
        described: dict[str, Any] = client.get("/openapi.json").json()
    for operations in described["paths"].values():
        for operation in operations.values():
            operation.pop("security", None)
    return described


def _walk(strategy: Any, there: dict[str, str], headers: dict[str, str]) -> None:
    # Bounded, and the same cases in each run. Shrinking a failure would take minutes.
    bounds = settings(
        max_examples=examples(8),
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @bounds
    @given(case=strategy)
    def walk(case: Case[Any]) -> None:
        case.path_parameters = {name: there.get(name, value) for name, value in case.path_parameters.items()}
        response = case.call(headers=headers)
        case.validate_response(response, excluded_checks=[positive_data_acceptance], headers=headers)
        _is_accepted_or_explained(response)

    walk()


def _is_accepted_or_explained(response: Response) -> None:
    if response.status_code not in EXPLAINED:
        return
    refused: Mapping[str, Any] = response.json()
    if refused["code"] in EXPLAINED[response.status_code]:
        return
    assert refused["code"] == "validation_failed", refused
    messages = [one for name, field in refused["errors"].items() if name not in _PAGES for one in field["messages"]]
    assert all(map(_EXPLAINED_MESSAGE.search, messages)), refused
