"""The TLS context of requests to Slack and to hosts, one per process."""

import ssl
from functools import cache


def context() -> ssl.SSLContext:
    """Return the context, which trusts the system's certificates. SSL_CERT_FILE and SSL_CERT_DIR name others."""
    return _context(ssl.get_default_verify_paths())


@cache
def _context(_certificates: ssl.DefaultVerifyPaths) -> ssl.SSLContext:
    # Reading the certificates takes longer than the rest of a request.
    return ssl.create_default_context()
