"""The product behind TLS, as on the internet: the browser enforces the rules of https."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests import certificates
from tests.browser.navigator import Customer, Operator
from tests.browser_client import Site
from tests.ports import free_port
from tests.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_cookies_are_bound_to_the_host_and_forms_post_over_https(
    start_site: Callable[..., Site], product_browser: Browser, tmp_path: Path
) -> None:
    port = free_port()
    site = start_site(public_url=f"https://127.0.0.1:{port}")
    context = product_browser.new_context(ignore_https_errors=True)
    # The same app once more, behind TLS: the product calls its practice Slack at the plain port.
    with served(site.app, port, certificates.self_signed(tmp_path)):
        me = Operator(site, context.new_page())
        me.signs_in()
        bea = Customer(site, context.new_page())
        bea.connects(site.link())
        bea.sees_outcome("connected")
        assert bea.page.url.startswith("https://")
        cookies = context.cookies()
        context.close()
    names = {cookie["name"] for cookie in cookies}
    assert "__Host-session" in names
    assert any(name.startswith("__Host-attempt_") for name in names)
    for cookie in cookies:
        assert cookie["name"].startswith("__Host-")
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
