"""OPTIONS returns the methods of a path to browsers, which send no key with a preflight."""

import pytest

from tests.api.conftest import Program

pytestmark = pytest.mark.once

_PREFLIGHT = {"Origin": "https://host.example", "Access-Control-Request-Method": "POST"}


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/channel-connections", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/v1/channel-connections/x", {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH"}),
        ("/v1/channel-connections/x/verify", {"OPTIONS", "POST"}),
        ("/v2/contexts/tenant/x", {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH"}),
    ],
)
def test_options_names_the_methods_without_a_key(path: str, methods: set[str], standing: Program) -> None:
    answer = standing.client.request("OPTIONS", path, headers={**_PREFLIGHT, "Authorization": ""})
    assert (answer.status_code, answer.content) == (204, b"")
    assert set(answer.headers["Allow"].split(", ")) == methods
    assert "Content-Type" not in answer.headers


def test_no_origin_is_allowed_yet(standing: Program) -> None:
    answer = standing.client.request("OPTIONS", "/v1/channel-connections", headers=_PREFLIGHT)
    assert not any(name.startswith("access-control-") for name in answer.headers)


def test_options_of_an_unknown_path_is_not_found(standing: Program) -> None:
    assert standing.asks("OPTIONS", "/v1/nothing").json()["code"] == "not_found"
