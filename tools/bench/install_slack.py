"""Slack stand-in for the install rows: a small TLS server in its own process that answers the three methods that an
install calls. Each code installs another workspace.

`python -m tools.bench.install_slack FOLDER PORT` writes its certificate to FOLDER and listens at PORT.
"""

import json
import os
import socketserver
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.certificates import self_signed
from tests.ports import free_port
from tools.bench.processes import serving

_MAX_HEAD_BYTES = 16_384


@contextmanager
def running(folder: Path) -> Iterator[tuple[str, Path]]:
    """Run the stand-in. Yields its address, and the certificate that a caller must trust."""
    port, certificate = free_port(), folder / "certificate.pem"
    command = [sys.executable, "-m", "tools.bench.install_slack", str(folder), str(port)]
    with serving(command, dict(os.environ), port, folder / "slack.log"):
        yield f"https://127.0.0.1:{port}", certificate


class Slack(socketserver.ThreadingTCPServer):
    """Server with a thread for each connection: the product keeps few, Bolt opens two for each install."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", port), _Connection)
        self.context = context


class _Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def setup(self) -> None:
        # Here, not in the accepting thread: a handshake must not delay the next connection.
        server: Any = self.server
        self.request = server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self) -> None:
        while self._answer_one():
            pass

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def _answer_one(self) -> bool:
        """Answer one request. Returns False when the connection ends."""
        first = self.rfile.readline(_MAX_HEAD_BYTES)
        if not first:
            return False
        headers = {}
        while (line := self.rfile.readline(_MAX_HEAD_BYTES)) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get(b"content-length", 0)))
        method = first.split()[1].rpartition(b"/")[2].decode()
        given = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        text = json.dumps(_ANSWERS[method](given)).encode()
        is_last = headers.get(b"connection", b"").lower() == b"close"
        self.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nConnection: %s\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (b"close" if is_last else b"keep-alive", len(text), text)
        )
        return not is_last


def _access(given: dict[str, str]) -> dict[str, Any]:
    number = given["code"].rpartition("-")[2]
    return {
        "ok": True,
        "app_id": "A0BENCH",
        "authed_user": {"id": "U0ADMIN"},
        "scope": "chat:write",
        "token_type": "bot",
        "access_token": f"xoxb-{number}-a-token-of-fifty-letters-in-all-as-usual",
        "bot_user_id": "U0BOT",
        "team": {"id": f"T{number}", "name": f"Workspace {number}"},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _test(_given: dict[str, str]) -> dict[str, Any]:
    return {
        "ok": True,
        "url": "https://workspace.slack.com/",
        "team": "Workspace",
        "user": "bench",
        "team_id": "T0",
        "user_id": "U0BOT",
        "bot_id": "B0BOT",
        "is_enterprise_install": False,
    }


def _revoke(_given: dict[str, str]) -> dict[str, Any]:
    return {"ok": True, "revoked": True}


_ANSWERS = {"oauth.v2.access": _access, "auth.test": _test, "auth.revoke": _revoke}


def main() -> None:
    context = self_signed(Path(sys.argv[1]))
    with Slack(int(sys.argv[2]), context) as slack:
        slack.serve_forever()


if __name__ == "__main__":
    main()
