"""Send signed events to the app from a background thread, and retry failed deliveries."""

import hashlib
import hmac
import http.client
import json
import logging
import secrets
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Any

from onboarding.practice.registration import PracticeApp

log = logging.getLogger(__name__)

#: Slack waits at most 3 s for an answer.
ANSWER_SECONDS = 3.0
#: Slack retries at once, after one minute and after five. Tests need shorter pauses.
RETRY_DELAYS_SECONDS = (0.0, 1.0, 5.0)
KEPT_DELIVERIES = 200


@dataclass(frozen=True)
class Delivery:
    """The delivery of one event. `status`: of the last answer; None if the app did not answer."""

    event_type: str
    event_id: str
    tries: int
    status: int | None


class Events:
    """The sender of events. With `events_url` None it sends nothing."""

    def __init__(self, events_url: str | None, now: Callable[[], float]) -> None:
        if events_url and not events_url.startswith(("http://", "https://")):
            raise ValueError("events_url must be an http or https address")
        self._url = events_url
        self._now = now
        self._lock = Lock()
        self._threads: list[Thread] = []
        self._deliveries: deque[Delivery] = deque(maxlen=KEPT_DELIVERIES)
        self._stopped = Event()
        # Ignore proxy settings: the app is on this computer.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        #: Slack does not guarantee the order of the two events of an uninstall. True sends `app_uninstalled` first.
        self.uninstalled_first = False
        #: True sends nothing, as for an app without an events address.
        self.is_paused = False

    def send(self, app: PracticeApp, envelope: dict[str, Any], events: list[dict[str, Any]]) -> None:
        """Start sending `events` one after the other, in Slack's usual order, and return without waiting."""
        if self._url is None or self.is_paused or not app.signing_secret:
            return
        url = self._url
        ordered = reversed(events) if self.uninstalled_first else events
        bodies = [(event["type"], *self._body(app, envelope, event)) for event in ordered]
        # A daemon thread, so that the process can exit while the app does not answer.
        thread = Thread(target=self._send_all, args=(url, app, bodies, self._stopped), daemon=True)
        with self._lock:
            self._threads = [*(running for running in self._threads if running.is_alive()), thread]
            thread.start()

    def deliveries(self) -> list[Delivery]:
        with self._lock:
            return list(self._deliveries)

    def wait_until_sent(self, seconds: float = 10.0) -> bool:
        """Wait until all events are sent. Return False if one thread is still sending after `seconds`."""
        with self._lock:
            running = list(self._threads)
        for thread in running:
            thread.join(seconds)
        return not any(thread.is_alive() for thread in running)

    def reset(self) -> None:
        with self._lock:
            self._stopped.set()
            self._stopped = Event()
            self._deliveries.clear()
            self.uninstalled_first = False

    def _body(self, app: PracticeApp, envelope: dict[str, Any], event: dict[str, Any]) -> tuple[str, bytes]:
        event_id = f"Ev0{secrets.token_hex(5).upper()}"
        body = {
            **envelope,
            "api_app_id": app.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": event_id,
            "event_time": int(self._now()),
        }
        return event_id, json.dumps(body).encode()

    def _send_all(self, url: str, app: PracticeApp, bodies: list[tuple[str, str, bytes]], stopped: Event) -> None:
        for event_type, event_id, body in bodies:
            tries, status = 0, None
            for delay in (0.0, *RETRY_DELAYS_SECONDS):
                if stopped.wait(delay):
                    return
                status = self._send(url, app, body, tries)
                tries += 1
                if status is not None and 200 <= status < 300:
                    break
            with self._lock:
                self._deliveries.append(Delivery(event_type, event_id, tries, status))

    def _send(self, url: str, app: PracticeApp, body: bytes, earlier_tries: int) -> int | None:
        headers = {"Content-Type": "application/json", **signature_headers(app.signing_secret, body, self._now())}
        if earlier_tries:
            headers |= {"X-Slack-Retry-Num": str(earlier_tries), "X-Slack-Retry-Reason": "http_error"}
        request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - http or https, checked at the start.
        try:
            with self._opener.open(request, timeout=ANSWER_SECONDS) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as problem:
            problem.close()
            return problem.code
        except (OSError, http.client.HTTPException) as problem:
            log.warning("practice event was not delivered: %s", type(problem).__name__)
            return None


def signature_headers(signing_secret: str, body: bytes, now: float) -> dict[str, str]:
    """Sign the body: https://docs.slack.dev/authentication/verifying-requests-from-slack (version 0)."""
    timestamp = str(int(now))
    digest = hmac.new(signing_secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}
