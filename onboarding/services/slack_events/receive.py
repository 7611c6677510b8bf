"""Receive Slack's events: check the signature, find the integration, and store each event once."""

import structlog

from onboarding import ids
from onboarding.clock import Clock
from onboarding.errors import SignatureRefused, VaultProblem
from onboarding.lifetimes import PREVIOUS_SECRET_LIFETIME
from onboarding.outgoing import queue
from onboarding.sealed import Sealed
from onboarding.services.slack_events.records import SignedRequest
from onboarding.slack import event_names, events, signatures
from onboarding.store import signing_secrets, slack_events
from onboarding.store.database import Database
from onboarding.store.signing_secrets import SigningIntegration
from onboarding.vault import SealedAt, Vault
from onboarding.work import Queue, Work

#: The workflow that handles an event: its argument is the id of the event's row.
WORKFLOW = "slack_event"
#: The workflow that forwards an event: its arguments are the id of the event's row, and how many tries have failed.
FORWARD_WORKFLOW = "forward_slack_event"
_LOG = structlog.get_logger(__name__)


class EventReceiver:
    def __init__(self, database: Database, vault: Vault, now: Clock) -> None:
        self._database, self._vault, self._now = database, vault, now

    def receive(self, request: SignedRequest) -> str | None:
        """Check a request and store its event for the worker. A repeated event is accepted and ignored.

        Returns the text that Slack expects in the response when it checks the address.

        Raises SignatureRefused for a request that no active integration's Slack app has signed within five minutes, and
        for one that is malformed. Raises StorageProblem; Slack then sends the event again.
        """
        try:
            read = events.read(request.body)
        except events.Malformed:
            raise SignatureRefused from None
        app_id = None if isinstance(read, events.Challenge) else read.app_id
        with self._database.rows() as rows:
            known = signing_secrets.all_signing(rows)
        signer = next((one for one in _possible(known, app_id) if self._has_signed(one, request)), None)
        if signer is None:
            raise SignatureRefused
        if isinstance(read, events.Challenge):
            return read.text
        if isinstance(read, events.Notice):
            _LOG.warning("slack.notice", integration=signer.identifier)
        else:
            self._store(signer, read, request)
        return None

    def _store(self, signer: SigningIntegration, event: events.Event, request: SignedRequest) -> None:
        """Store an event that has an effect, with the work that handles it, unless it was received before."""
        row_id, at = ids.new_id("evt"), self._now()
        is_handled, is_forwarded = event.type in event_names.HANDLED, signer.forward_url is not None
        if not is_handled and not is_forwarded:
            if signer.app_id is None:
                with self._database.changing_one() as rows:
                    signing_secrets.remember_app(rows, signer.id, event.app_id)
            return
        with self._database.changing_rows() as rows:
            if signer.app_id is None:
                signing_secrets.remember_app(rows, signer.id, event.app_id)
            is_new = slack_events.add(
                rows,
                id=row_id,
                environment_id=signer.environment_id,
                integration_id=signer.id,
                event_id=event.event_id,
                type=event.type,
                owner_id=event.owner_id,
                happened_at=event.at,
                received_at=at,
                handled_at=None if is_handled else at,
                handle_at=at if is_handled else None,
                forward_at=at if is_forwarded else None,
                forward_state=slack_events.WAITING if is_forwarded else None,
                slack_timestamp=request.timestamp,
                slack_signature=request.signature,
                body=self._vault.seal(request.body.decode(), body_sealed_at(row_id)),
            )
            if is_new and is_handled:
                queue.enqueue(rows, handle_work(row_id))
            if is_new and is_forwarded:
                queue.enqueue(rows, forward_work(row_id, 0))

    def _has_signed(self, one: SigningIntegration, request: SignedRequest) -> bool:
        at = self._now()
        secrets = [("signing_secret", one.signing_secret)]
        changed_at = one.signing_secret_changed_at
        if one.previous_signing_secret and changed_at and at < changed_at + PREVIOUS_SECRET_LIFETIME:
            secrets.append(("previous_signing_secret", one.previous_signing_secret))
        return any(
            signatures.is_signed(secret, request.body, request.timestamp, request.signature, at)
            for column, sealed in secrets
            if (secret := self._opened(one, column, sealed)) is not None
        )

    def _opened(self, one: SigningIntegration, column: str, sealed: Sealed) -> str | None:
        try:
            return self._vault.open(sealed, SealedAt("integrations", column, one.id))
        except VaultProblem as problem:
            _LOG.error("slack.signing_secret_unreadable", integration=one.identifier, problem=problem.sentence)
            return None


def handle_work(event_row_id: str, delay_seconds: float = 0) -> Work:
    return Work(Queue.SLACK, WORKFLOW, (event_row_id,), delay_seconds)


def forward_work(event_row_id: str, failures: int, delay_seconds: float = 0) -> Work:
    return Work(Queue.WEBHOOKS, FORWARD_WORKFLOW, (event_row_id, failures), delay_seconds)


def body_sealed_at(event_row_id: str) -> SealedAt:
    return SealedAt("slack_events", "body", event_row_id)


def _possible(known: list[SigningIntegration], app_id: str | None) -> list[SigningIntegration]:
    """Return the integration that is known to have the app, else those whose app is unknown. Without an id: all."""
    if app_id is None:
        return known
    return [one for one in known if one.app_id == app_id] or [one for one in known if one.app_id is None]
