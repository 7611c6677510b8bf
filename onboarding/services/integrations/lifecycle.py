"""Add, change, list and remove integrations."""

from collections import Counter
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from hashlib import sha256

from onboarding import changes, ids
from onboarding.callers import Actor
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import Conflict, Refused, VaultProblem, unknown_integration
from onboarding.lifetimes import PREVIOUS_SECRET_LIFETIME
from onboarding.sealed import Sealed
from onboarding.services.integrations import values
from onboarding.services.integrations.records import IntegrationChange, IntegrationRecord, NewIntegration
from onboarding.slack import scopes
from onboarding.store import (
    connections,
    environments,
    erasure,
    integration_locks,
    logos,
    origins,
    revocations,
    sign_in_app,
    unfinished_attempts,
)
from onboarding.store import integrations as store
from onboarding.store.database import Database, Session
from onboarding.vault import SealedAt, Vault


class Integrations:
    def __init__(self, database: Database, vault: Vault, now: Clock) -> None:
        self._database, self._vault, self._now = database, vault, now

    def add(self, new: NewIntegration, actor: Actor) -> None:
        """Store a Slack app.

        Raises Refused for an invalid value, NotFound for the environment, Conflict if the identifier or client id is
        taken. A client id belongs to one integration of the whole deployment, because a Slack app has one bot token
        per workspace.
        """
        new = values.trimmed(new)
        values.check_new(new)
        values.check_change(IntegrationChange(new.client_secret, new.signing_secret, new.scopes, new.name))
        with self._database.transaction() as session:
            environment = environments.named(session, new.environment)
            taken = store.by_identifier(session, environment.id, new.identifier)
            if taken or store.by_client_id(session, new.client_id):
                raise Conflict(
                    "An integration with this identifier or client id already exists. "
                    "One client id belongs to one integration of the whole deployment."
                )
            row = self._new_row(environment.id, new)
            store.add(session, row)
            self._record(session, row, ChangeKind.INTEGRATION_ADDED, actor)

    def change(self, environment_id: str, identifier: str, change: IntegrationChange, actor: Actor) -> None:
        """Change the given values; connections stay. Raises Refused for an invalid value, NotFound."""
        change = values.trimmed(change)
        values.check_change(change)
        picture = values.picture(change.logo)
        with self._database.transaction() as session:
            row = store.by_identifier(session, environment_id, identifier)
            if row is None:
                raise unknown_integration(identifier)
            if change.client_secret is not None:
                self._replace_client_secret(row, change.client_secret)
            if change.signing_secret is not None:
                self._replace_signing_secret(row, change.signing_secret)
            if change.forget_previous_secrets:
                row.previous_client_secret = row.previous_signing_secret = None
            if change.scopes is not None:
                row.scopes = ",".join(change.scopes)
            row.name = change.name or row.name
            row.workspace_policy = change.workspace_policy or row.workspace_policy
            if change.sign_in is not None and change.sign_in != row.is_sign_in:
                sign_in_app.end_sign_in(session)
                row.is_sign_in = change.sign_in
            self._change_origins(session, row.id, change)
            _change_links_and_color(row, change)
            if picture is not None or change.remove_logo:
                row.logo_digest = sha256(picture).hexdigest() if picture else None
                logos.change(session, row.id, row.logo_digest, picture or b"")
            changed = (_changed(one.name, getattr(change, one.name)) for one in fields(change))
            self._record(session, row, ChangeKind.INTEGRATION_CHANGED, actor, ", ".join(filter(None, changed)))

    def allowed_origins(self, environment_id: str) -> dict[str, tuple[str, ...]]:
        """Return the allowed origins of the environment's integrations, sorted, by the integrations' identifiers."""
        with self._database.rows() as rows:
            found = store.all_without_secrets(rows, environment_id)
            allowed = origins.of_integrations(rows, [one.id for one in found])
        return {one.identifier: allowed.get(one.id, ()) for one in found}

    def logo(self, digest: str) -> bytes | None:
        """Return a logo as a PNG file. None if no integration has it."""
        with self._database.rows() as rows:
            return logos.by_digest(rows, digest)

    def remove(self, environment_id: str, identifier: str, actor: Actor) -> None:
        """Remove an integration with its links and attempts.

        Raises NotFound, and Conflict while it has connections or an install in progress.
        """
        with self._database.transaction() as session:
            row = store.by_identifier(session, environment_id, identifier)
            if row is None:
                raise unknown_integration(identifier)
            # Waits for the installs that are being stored, so that the next query sees their connections.
            integration_locks.lock(session, row.id)
            used = len(connections.of_integration(session, row.id))
            if used:
                noun, them = ("connection", "it") if used == 1 else ("connections", "them")
                raise Conflict(f"The integration {identifier!r} has {used} {noun}. Disconnect {them} first.")
            # Without the integration, nothing could revoke what Slack grants or has granted.
            if unfinished_attempts.are_under_way(session, row.id):
                raise Conflict(
                    f"An install with the integration {identifier!r} is in progress. Try again in ten minutes."
                )
            if revocations.any_of(session, row.id):
                raise Conflict(
                    f"Slack has not confirmed yet that it revoked access of the integration {identifier!r}. A worker asks Slack "
                    "again for a day at most, and so does `onboarding sweep`. Then remove the integration again."
                )
            self._record(session, row, ChangeKind.INTEGRATION_REMOVED, actor)
            erasure.erase_integration(session, row.id)

    def all_of(self, environment_id: str) -> tuple[IntegrationRecord, ...]:
        """Return the environment's integrations, sorted by identifier."""
        with self._database.rows() as rows:
            found = store.all_without_secrets(rows, environment_id)
        count = Counter(one.name for one in found)
        return tuple(
            IntegrationRecord(
                id=one.id,
                environment_id=environment_id,
                identifier=one.identifier,
                name=one.name,
                label=f"{one.name} ({one.identifier})" if count[one.name] > 1 else one.name,
                client_id=one.client_id,
                scopes=scopes.split(one.scopes),
                workspace_policy=one.workspace_policy,
                is_practice=one.is_practice,
                is_sign_in=one.is_sign_in,
                branding=one.branding,
                has_signing_secret=one.has_signing_secret,
                app_id=one.app_id,
                forward_url=one.forward_url,
                previous_client_secret_until=self._until(one.has_previous_client_secret, one.client_secret_changed_at),
                previous_signing_secret_until=self._until(
                    one.has_previous_signing_secret, one.signing_secret_changed_at
                ),
            )
            for one in found
        )

    def find(self, environment_id: str, identifier: str) -> IntegrationRecord:
        """Return the integration with this identifier. Raises NotFound."""
        found = next((one for one in self.all_of(environment_id) if one.identifier == identifier), None)
        if found is None:
            raise unknown_integration(identifier)
        return found

    def _until(self, is_kept: bool, changed_at: datetime | None) -> datetime | None:
        """Return until when the secret before a change is accepted. None if it is not, or not any more."""
        until = changed_at + PREVIOUS_SECRET_LIFETIME if is_kept and changed_at else None
        return until if until and until > self._now() else None

    def _replace_client_secret(self, row: store.Integration, new: str) -> None:
        """Store the new secret and keep the old one: Slack accepts it for a day, and the new one may be mistyped."""
        if replaced := self._replaced(row, "client_secret", new):
            row.client_secret, row.previous_client_secret = replaced
            row.client_secret_changed_at = self._now()

    def _replace_signing_secret(self, row: store.Integration, new: str) -> None:
        """Store the new secret and keep the one before it for a while: Slack may still sign with it."""
        if replaced := self._replaced(row, "signing_secret", new):
            row.signing_secret, row.previous_signing_secret = replaced
            # The secret before may have been another app's, by mistake.
            row.signing_secret_changed_at, row.app_id = self._now(), None

    def _replaced(self, row: store.Integration, column: str, new: str) -> tuple[Sealed, Sealed | None] | None:
        """Return the new secret and the one before it, encrypted. None if they are equal."""
        stored, sealed_at, previous = getattr(row, column), _sealed_at(column, row.id), None
        if stored is not None:
            # One that cannot be decrypted is of no use.
            with suppress(VaultProblem):
                previous = self._vault.open(stored, sealed_at)
        if previous == new:
            return None
        before = self._vault.seal(previous, _sealed_at(f"previous_{column}", row.id)) if previous else None
        return self._vault.seal(new, sealed_at), before

    def _change_origins(self, session: Session, integration_id: str, change: IntegrationChange) -> None:
        """Add and remove allowed origins. Raises Refused for an origin to remove that is not listed."""
        for origin in change.add_origins or ():
            origins.add(session, integration_id, values.origin(origin))
        for text in change.remove_origins or ():
            # An origin that an earlier version allowed may not be valid any more.
            listed = origins.of_integration(session, integration_id)
            origin = text if text in listed else values.origin(text, "remove_origins")
            if not origins.remove(session, integration_id, origin):
                raise Refused(f"{origin} is not an allowed origin of this integration.", "remove_origins")

    def _new_row(self, environment_id: str, new: NewIntegration) -> store.Integration:
        row_id, signing = ids.new_id("int"), new.signing_secret
        return store.Integration(
            id=row_id,
            environment_id=environment_id,
            identifier=new.identifier,
            name=new.name,
            client_id=new.client_id,
            client_secret=self._vault.seal(new.client_secret, _sealed_at("client_secret", row_id)),
            signing_secret=self._vault.seal(signing, _sealed_at("signing_secret", row_id)) if signing else None,
            scopes=",".join(new.scopes),
            is_practice=new.is_practice,
            workspace_policy=new.workspace_policy,
            created_at=self._now(),
        )

    def _record(
        self, session: Session, row: store.Integration, kind: ChangeKind, actor: Actor, detail: str = ""
    ) -> None:
        change = Change(kind, actor, self._now(), row.environment_id, row.identifier, row.name, detail=detail)
        changes.record(session, change)


def _sealed_at(column: str, row_id: str) -> SealedAt:
    return SealedAt("integrations", column, row_id)


def _change_links_and_color(row: store.Integration, change: IntegrationChange) -> None:
    if change.accent_color is not None:
        row.accent_color = change.accent_color.lower() or None
    for field_name in values.LINK_WORDS:
        address = getattr(change, field_name)
        if address is not None:
            setattr(row, "forward_url" if field_name == "forward_events" else field_name, address or None)


#: Texts of audit entries about values that are not stored.
_SWITCHES = {"forget_previous_secrets": "previous secrets forgotten", "remove_logo": "logo"}


def _changed(name: str, value: tuple[str, ...] | str | bytes | bool | None) -> str:
    """Return what the audit entry says about a value that may have changed; empty if it was kept."""
    if value is None:
        return ""
    if name in _SWITCHES:
        return _SWITCHES[name] if value else ""
    if isinstance(value, bool):
        return f"{name}: {'on' if value else 'off'}"
    return f"{name}: {' '.join(value)}" if isinstance(value, tuple) and name != "scopes" else name
