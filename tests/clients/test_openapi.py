"""schemathesis tests the API by its own description: every response to a request that the description allows is documented."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.browser_client import Site, client_of
from tests.clients.bodies import connection, endpoint
from tests.clients.conftest import fill, key_for

pytestmark = pytest.mark.slow

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

#: Existing rows, by the name of the path's parameter.
THERE = {"identifier": "there", "type": "tenant", "id": "org-123", "subscriberId": "bea", "subscriber_id": "bea"}


@pytest.fixture
def filled(shop: Site) -> Site:
    fill(
        shop,
        ("/v1/channel-connections", connection(identifier="there")),
        ("/v2/contexts", {"type": "tenant", "id": "org-123"}),
        ("/v1/channel-endpoints", endpoint(identifier="there")),
    )
    return shop


@pytest.mark.parametrize(
    ("mode", "there"),
    [(GenerationMode.POSITIVE, True), (GenerationMode.POSITIVE, False), (GenerationMode.NEGATIVE, False)],
    ids=["what is there", "what is described", "what is not"],
)
def test_every_answer_is_documented(filled: Site, mode: GenerationMode, there: bool) -> None:
    schema = schemathesis.openapi.from_dict(_with_one_way_to_authenticate(filled))
    schema.config.update(base_url=filled.settings.origin)
    found = list(schema.get_all_operations())
    assert len(found) >= 20
    for one in found:
        assert isinstance(one, Ok)
        _walk(one.ok(), mode, THERE if there else {}, {"Authorization": f"ApiKey {key_for(filled)}"})


def _with_one_way_to_authenticate(site: Site) -> dict[str, Any]:
    """Return the description without the session token: where there is a choice, schemathesis makes no invalid requests."""
    with client_of(site) as client:
        described: dict[str, Any] = client.get("/openapi.json").json()
    for operations in described["paths"].values():
        for operation in operations.values():
            operation.pop("security", None)
    return described


def _walk(operation: Any, mode: GenerationMode, there: dict[str, str], headers: dict[str, str]) -> None:
    # Bounded, and the same cases in each run.
    @settings(max_examples=8, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def walk(case: Case[Any]) -> None:
        case.path_parameters = {name: there.get(name, value) for name, value in case.path_parameters.items()}
        case.validate_response(case.call(headers=headers), checks=CHECKS)

    walk()
