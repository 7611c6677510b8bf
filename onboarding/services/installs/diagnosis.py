"""Diagnose an install from what its customer sends: a reference, or the address that Slack redirected to."""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, parse_qs, urlsplit

from onboarding.services.installs import bindings
from onboarding.services.installs.attempts import AttemptReport, Attempts
from onboarding.settings import REDIRECT_PATH
from onboarding.slack.faults import operator_hint
from onboarding.store.attempts import Stage

_LINK_PATH = "/connect/"
_ERROR_CODE = re.compile(r"[a-z0-9_.]{1,60}\Z")
_MAX_PARAMETERS = 100


class Finding(StrEnum):
    """The meaning of the pasted text."""

    #: The text, or the state in the address, belongs to an attempt.
    FOUND = "found"
    #: Slack sent the browser here, and the attempt has not continued.
    NOT_CONTINUED = "not_continued"
    #: A callback address whose state belongs to no attempt of this environment.
    STATE_UNKNOWN = "state_unknown"
    #: A callback address without a state: the install began in Slack.
    NO_STATE = "no_state"
    #: The address of a link.
    LINK = "link"
    #: An address of another server.
    OTHER_SERVER = "other_server"
    #: Neither the reference of an attempt nor an address of a page of an attempt.
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Diagnosis:
    """The result. Slack's error code is the only part of the pasted text that it contains."""

    finding: Finding
    attempt: AttemptReport | None = None
    #: The error code in a callback address, and what an operator does about it.
    slack_error: str | None = None
    hint: str | None = None
    #: The server that the address belongs to, if it is another one.
    server: str | None = None


class Diagnoser:
    def __init__(self, attempts: Attempts, origin: str) -> None:
        """Create the diagnoser. `origin`: this server's."""
        self._attempts, self._origin = attempts, origin

    def diagnose(self, environment_id: str, text: str) -> Diagnosis:
        """Find the attempt of a reference or of an address.

        The code in the address is not used, and the state is used only as a digest. Neither is stored, logged or
        returned.
        """
        found = self._attempts.find_typed(text, environment_id)
        if found is not None:
            return Diagnosis(Finding.FOUND, found)
        address = _address(text.strip())
        if address is None:
            return Diagnosis(Finding.UNKNOWN)
        here = urlsplit(self._origin)
        if address.netloc and address.netloc.rpartition("@")[2] != here.netloc:
            return Diagnosis(Finding.OTHER_SERVER, server=address.hostname)
        if address.path.rstrip("/").endswith(REDIRECT_PATH):
            return self._of_callback(environment_id, _parameters(address))
        if _LINK_PATH in address.path:
            return Diagnosis(Finding.LINK)
        return self._of_page(environment_id, address.path)

    def _of_callback(self, environment_id: str, query: dict[str, str]) -> Diagnosis:
        error = query.get("error", "")
        code = error if _ERROR_CODE.match(error) else None
        hint = _hint(code, f"{self._origin}{REDIRECT_PATH}") if code else None
        if not query.get("state"):
            return Diagnosis(Finding.NO_STATE, None, code, hint)
        found = self._attempts.by_state(bindings.state_digest(query["state"]), environment_id)
        if found is None:
            return Diagnosis(Finding.STATE_UNKNOWN, None, code, hint)
        finding = Finding.NOT_CONTINUED if found.stage is Stage.CREATED else Finding.FOUND
        return Diagnosis(finding, found, code, hint)

    def _of_page(self, environment_id: str, path: str) -> Diagnosis:
        for part in path.split("/"):
            found = self._attempts.find_typed(part, environment_id) if part else None
            if found is not None:
                return Diagnosis(Finding.FOUND, found)
        return Diagnosis(Finding.UNKNOWN)


def _address(text: str) -> SplitResult | None:
    """Return the parts of an address, with or without its server. None for other text."""
    if "/" not in text:
        return None
    try:
        return urlsplit(text if "://" in text or text.startswith("/") else f"//{text}")
    except ValueError:
        return None


def _parameters(address: SplitResult) -> dict[str, str]:
    """Return the first value of each parameter; nothing for a query that is too long."""
    try:
        return {name: values[0] for name, values in parse_qs(address.query, max_num_fields=_MAX_PARAMETERS).items()}
    except ValueError:
        return {}


def _hint(code: str, redirect_uri: str) -> str:
    if code == "access_denied":
        return "The person pressed Cancel in Slack, or asked a Slack admin for approval there."
    return operator_hint(code, redirect_uri)
