"""Send signed webhooks, and return the answers of their hosts.

The signature follows https://www.standardwebhooks.com. A host's address is chosen by its users, so the sender checks
where it leads at the moment of connecting, and trusts no answer: it takes ten seconds and 64 kB at most, and follows no
redirect. `Sender.post` sends requests that the caller has signed, such as Slack's events.
"""

import http.client
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from standardwebhooks import Webhook

from onboarding import hosts, tls
from onboarding.connecting import addresses_of, connect, seconds_left, shut_down_at
from onboarding.outgoing.addresses import Reach, may_reach

DEADLINE_SECONDS = 10.0
MAX_ANSWER_BYTES = 64 * 1024
#: How much of an answer is kept, for people to read.
_KEPT_CHARACTERS = 2000
_MAX_PROXY_HEAD_BYTES = 8192
#: A longer `Retry-After` is shortened to this.
_MAX_WAIT_SECONDS = 24 * 3600
_USER_AGENT = "Onboarding-for-Slack/1"
#: Control characters other than tabs and line breaks: HTML does not allow them, and PostgreSQL refuses NUL.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Message:
    """A webhook, before it is signed."""

    url: str
    id: str
    body: str
    #: One or two, of which the host knows at least one; newest first.
    secrets: Sequence[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """A POST with headers of its own, such as an event of Slack's that is forwarded."""

    url: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """A host's answer, or the reason why there is none."""

    #: None if there was no answer.
    status: int | None
    #: The beginning of the answer's body.
    body: str
    #: A sentence about why the message was not accepted; None if it was.
    problem: str | None
    milliseconds: int
    #: The wait that the host asked for with `Retry-After`.
    retry_after: int | None = None
    #: Whether the host asked with `X-Slack-No-Retry` that an event of Slack's is not sent again.
    is_final: bool = False

    @classmethod
    def failed(cls, problem: str) -> "Answer":
        """Return the result of a message that has no answer. `problem`: a sentence."""
        return cls(None, "", problem, 0)

    @property
    def is_gone(self) -> bool:
        return self.status == http.client.GONE


@dataclass(frozen=True, slots=True)
class _Route:
    """A request's address, the proxy on the way to it (empty for none), and the networks that it may lead to."""

    url: str
    proxy: str
    reach: Reach


class _Forbidden(Exception):
    """The host's name leads only to addresses that webhooks may not go to."""


class _ProxyFailed(Exception):
    """The proxy did not answer, or refused to connect to the host."""


class Sender:
    def __init__(self, reach: Callable[[], Reach], now: Callable[[], datetime], proxy: str = "") -> None:
        """Create a sender.

        `reach`: returns where webhooks may go; a function, because practice mode can end while the process runs.
        `proxy`: the origin of an http proxy, which then decides where https webhooks may go. Proxies that environment
        variables name are not used.
        """
        self._reach, self._now, self._proxy = reach, now, proxy
        self._tls = tls.context()

    def send(self, message: Message) -> Answer:
        """Sign a webhook and send it, as `post` does."""
        return self.post(Request(message.url, message.body.encode(), self._headers(message)))

    def post(self, request: Request) -> Answer:
        """Send a request once. A failure to send it is not raised: the answer's `problem` describes it."""
        began = time.monotonic()
        try:
            answer = self._exchange(request, began + DEADLINE_SECONDS)
        except _Forbidden:
            answer = Answer.failed(
                "The address leads to a private or reserved network. WEBHOOK_ALLOW_PRIVATE=on allows private networks."
            )
        except _ProxyFailed:
            answer = Answer.failed("The proxy that WEBHOOK_PROXY names did not connect to the host.")
        except socket.gaierror:
            answer = Answer.failed("The host name could not be resolved.")
        except ssl.SSLCertVerificationError:
            answer = Answer.failed("The certificate is invalid for this host name.")
        except (OSError, http.client.HTTPException, ValueError):
            is_late = time.monotonic() - began >= DEADLINE_SECONDS
            late = f"There was no answer within {DEADLINE_SECONDS:.0f} seconds."
            answer = Answer.failed(late if is_late else "The connection failed or was closed without an answer.")
        return replace(answer, milliseconds=int((time.monotonic() - began) * 1000))

    def _exchange(self, request: Request, deadline: float) -> Answer:
        """Send the request once and read the answer.

        Raises OSError, HTTPException, ValueError, _Forbidden and _ProxyFailed.
        """
        parts, reach = urlsplit(request.url), self._reach()
        if parts.scheme != "https" and not reach.loopback:
            return Answer.failed("Webhooks are sent with https only.")
        route = _Route(request.url, self._proxy if parts.scheme == "https" else "", reach)
        connection = _connect(route, self._tls, deadline)
        limit = shut_down_at(connection.sock, deadline)
        try:
            path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
            connection.request("POST", path, request.body, {"User-Agent": _USER_AGENT, **request.headers})
            answer = connection.getresponse()
            if time.monotonic() >= deadline:
                # The headers end where the connection was shut down.
                raise TimeoutError
            body = answer.read(MAX_ANSWER_BYTES)
        finally:
            limit.cancel()
            connection.close()
        is_final = answer.getheader("X-Slack-No-Retry") == "1"
        return Answer(answer.status, _readable(body), _problem(answer.status), 0, self._wait(answer), is_final)

    def _headers(self, message: Message) -> dict[str, str]:
        at = self._now()
        signatures = [Webhook(secret).sign(message.id, at, message.body) for secret in message.secrets]
        return {
            "Content-Type": "application/json",
            "webhook-id": message.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signatures),
        }

    def _wait(self, answer: http.client.HTTPResponse) -> int | None:
        """Read `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3)."""
        text = (answer.getheader("Retry-After") or "").strip()
        if text.isascii() and text.isdecimal():
            # Nine digits are more than the longest wait, and Python refuses to read thousands of them.
            return min(int(text[:9]), _MAX_WAIT_SECONDS)
        try:
            date = parsedate_to_datetime(text)
            seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)) - self._now()
        except (ValueError, OverflowError):
            return None
        return min(max(0, int(seconds.total_seconds())), _MAX_WAIT_SECONDS)


def _connect(route: _Route, context: ssl.SSLContext, deadline: float) -> http.client.HTTPConnection:
    """Connect to the first allowed address of the host, or to the proxy. Raises OSError, _Forbidden, _ProxyFailed."""
    parts = urlsplit(route.url)
    host, is_https = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_https else 80)
    if route.proxy:
        try:
            raw = _connect_through(route.proxy, host, port, deadline)
        except OSError as error:
            raise _ProxyFailed from error
    else:
        # The addresses that are checked are those that are connected to: no second lookup can lead elsewhere.
        allowed = [found for found in addresses_of(host, port) if may_reach(str(found[-1][0]), route.reach)]
        if not allowed:
            raise _Forbidden
        raw = connect(allowed, deadline)
    connection = http.client.HTTPConnection(host, port)
    # The Host header has no port if it is the scheme's.
    connection.default_port = 443 if is_https else 80
    try:
        raw.settimeout(seconds_left(deadline))
        connection.sock = context.wrap_socket(raw, server_hostname=host) if is_https else raw
        connection.sock.settimeout(seconds_left(deadline))
    except BaseException:
        raw.close()
        raise
    return connection


def _connect_through(proxy: str, host: str, port: int, deadline: float) -> socket.socket:
    """Let an http proxy connect to the host (RFC 9110, section 9.3.6). Raises OSError."""
    parts = urlsplit(proxy)
    raw = connect(addresses_of(parts.hostname or "", parts.port or 80), deadline)
    try:
        raw.settimeout(seconds_left(deadline))
        authority = f"{hosts.in_url(host)}:{port}"
        raw.sendall(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode("ascii"))
        head = b""
        # Byte by byte, because what follows the head belongs to TLS.
        while not head.endswith(b"\r\n\r\n") and len(head) < _MAX_PROXY_HEAD_BYTES:
            raw.settimeout(seconds_left(deadline))
            if not (byte := raw.recv(1)):
                break
            head += byte
        if not re.match(rb"HTTP/1\.[01] 2\d\d", head):
            raise ConnectionRefusedError("The proxy refused.")
    except BaseException:
        raw.close()
        raise
    return raw


def _problem(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"The answer was a redirect ({status}), which is not followed. Enter the final address."
    return f"The answer had status {status}."


def _readable(body: bytes) -> str:
    """Return the beginning of a body as text that pages and PostgreSQL accept."""
    return _UNPRINTABLE.sub("\ufffd", body.decode("utf-8", "replace"))[:_KEPT_CHARACTERS]
