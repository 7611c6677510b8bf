"""The tree of errors. Pages, the API and the commands translate them into responses.

Problem
├── SettingsProblem        a setting is missing or invalid; the program does not start
├── NotFound               there is no object with this name
├── Refused                a rule forbids the request; `field` names the input
├── Conflict               the request contradicts the stored objects, or another transaction has changed them
├── LinkProblem            a link cannot be used: tampered, expired, revoked, used
├── StorageProblem         the database is locked or unreachable; a retry can help
│   └── NotSetUp           the database has no tables or no environment: the command `setup` must run first
├── VaultProblem           a sealed value cannot be opened
├── SignatureRefused       a request to an address for Slack is not signed by a known Slack app
└── SlackProblem           a call to Slack failed
    ├── SlackRefused       Slack answered `ok: false`; `code` is Slack's error code
    ├── SlackBusy          HTTP 429; `retry_after` seconds
    ├── SlackDown          no answer, 5xx, not JSON: the outcome is unknown
    └── ReconnectNeeded    Slack does not accept a connection's token any more
"""

import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from onboarding.branding import NO_BRANDING, Branding


def locations(fault: BaseException) -> list[str]:
    """Return where an exception was raised, for a log line. Its message may quote input, so it is left out."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(fault.__traceback__)]


class Problem(Exception):
    """An error whose sentence may be shown to a person or an API caller."""

    code = "problem"

    def __init__(self, sentence: str = "", code: str | None = None) -> None:
        """Create the error. `code` replaces the code of the class. API callers rely on both."""
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code or self.code


class SettingsProblem(Problem):
    code = "settings_wrong"


class NotFound(Problem):
    """`kind` and `name` describe the object that was not found, if the sentence names one."""

    code = "not_found"

    def __init__(self, sentence: str = "", code: str | None = None, kind: str = "", name: str = "") -> None:
        super().__init__(sentence or f"{kind} not found: {name}", code)
        self.kind, self.name = kind, name


class Refused(Problem):
    code = "refused"

    def __init__(self, sentence: str, field: str = "", code: str | None = None) -> None:
        super().__init__(sentence, code)
        self.field = field


class Conflict(Problem):
    """The stored objects forbid the request. `identifier` names the existing object, if it may be shown."""

    code = "conflict"

    def __init__(self, sentence: str = "", code: str | None = None, identifier: str | None = None) -> None:
        super().__init__(sentence, code)
        self.identifier = identifier

    @property
    def has_own_code(self) -> bool:
        """Return whether it has a code of its own. A conflict of transactions has none: the next try may succeed."""
        return self.code != Conflict.code


@dataclass(frozen=True)
class LinkDetails:
    """The content of the page of a link that cannot be used, besides the reason."""

    branding: Branding = NO_BRANDING
    #: Where the person returns to, and where they get a new link.
    return_url: str | None = None
    refresh_url: str | None = None
    expires_at: datetime | None = None


class LinkProblem(Problem):
    """A link cannot be used. `code` is an outcome: link_tampered, link_expired, link_revoked or link_used."""

    def __init__(self, code: str, attempt_id: str | None = None, details: LinkDetails | None = None) -> None:
        """Create the error. `attempt_id`: the attempt that used the link. `details`: None for an unknown link."""
        super().__init__(code)
        self.code = code
        self.attempt_id = attempt_id
        self.details = details or LinkDetails()


class StorageProblem(Problem):
    code = "storage_unavailable"
    default = "The database did not answer."

    def __init__(self, sentence: str = default) -> None:
        super().__init__(sentence)


class NotSetUp(StorageProblem):
    code = "not_set_up"


class VaultProblem(Problem):
    code = "sealed_value_unreadable"


class SignatureRefused(Problem):
    code = "signature_refused"

    def __init__(self) -> None:
        super().__init__("This request was not signed by a Slack app of this server, or it is malformed.")


class SlackProblem(Problem):
    code = "slack"


class SlackRefused(SlackProblem):
    def __init__(self, code: str) -> None:
        super().__init__(f"Slack refused: {code}")
        self.code = code


class SlackBusy(SlackProblem):
    code = "ratelimited"

    def __init__(self, retry_after: int) -> None:
        super().__init__("Slack asked us to slow down")
        self.retry_after = retry_after


class SlackDown(SlackProblem):
    code = "slack_down"


class ReconnectNeeded(SlackProblem):
    """A connection's token cannot be used or renewed. The sentence says why."""

    code = "needs_reconnect"


def unknown_integration(identifier: str) -> NotFound:
    return NotFound(code="integration_not_found", kind="Integration", name=identifier)


def unknown_environment(name: str) -> NotFound:
    return NotFound(kind="Environment", name=name)


def unknown_subscriber(subscriber_id: str) -> NotFound:
    return NotFound(code="subscriber_not_found", kind="Subscriber", name=subscriber_id)


def unknown_connection(identifier: str) -> NotFound:
    sentence = f"Channel connection with identifier '{identifier}' not found"
    return NotFound(sentence, "connection_not_found", kind="Connection", name=identifier)


def connection_exists(
    integration: str, subscriber_id: str | None, context_keys: Iterable[str], identifier: str
) -> Conflict:
    """Return the conflict with the connection `identifier`, which has the same identity."""
    owner = f'subscriberId "{subscriber_id}"' if subscriber_id else "no subscriberId"
    keys = ", ".join(context_keys)
    context = f"context [{keys}]" if keys else "no context"
    return Conflict(
        f'A channel connection already exists for integration "{integration}" with {owner} and {context}. '
        f"Connection ID: {identifier}",
        "connection_exists",
        identifier,
    )


def workspace_taken(workspace_id: str) -> Conflict:
    return Conflict(
        f'Workspace "{workspace_id}" is connected for another customer, and the integration allows one customer for each '
        "workspace",
        "workspace_taken",
    )


def identifier_taken(identifier: str, environment_name: str) -> Conflict:
    return Conflict(
        f'Channel connection with identifier "{identifier}" already exists in environment "{environment_name}"',
        "identifier_taken",
    )
