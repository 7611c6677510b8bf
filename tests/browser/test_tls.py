"""The product behind TLS, as it stands on the open internet: the browser holds it to what https alone allows."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Browser
from werkzeug.serving import make_server

from tests.browser.navigator import Customer, Operator
from tests.people import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_cookies_are_bound_to_the_host_and_forms_post_over_https(
    start_site: Callable[..., Site], product_browser: Browser, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    site = start_site(public_url=f"https://127.0.0.1:{port}")
    context = product_browser.new_context(ignore_https_errors=True)
    with _encrypted(site, port, tmp_path):
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


@contextmanager
def _encrypted(site: Site, port: int, folder: Path) -> Iterator[None]:
    """The same app once more, behind TLS: the product asks its practice Slack at the plain port, as behind a proxy."""
    server = make_server("127.0.0.1", port, site.app, threaded=True, ssl_context=_certificate(folder))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def _certificate(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
