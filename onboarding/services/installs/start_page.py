"""The content of an install's start page."""

from datetime import datetime

from onboarding.services import approvals
from onboarding.services.approvals import WaitingApproval
from onboarding.services.installs import permissions, records
from onboarding.services.installs.records import Existing, StartPage
from onboarding.store import connect_sessions, connection_identities
from onboarding.store.database import Rows
from onboarding.store.installs import LinkStart
from onboarding.store.integrations import IntegrationRow
from onboarding.store.link_terms import LinkKind
from onboarding.store.links import LinkRow


def existing_connection(rows: Rows, start: LinkStart) -> Existing | None:
    """Return the connection of the link's customer. None if there is none, or if the link leaves a choice open."""
    integration, link = start.integration, start.link
    choice = records.choice_fixed_by(link, permissions.requested_scopes(integration, link))
    if choice is None:
        return None
    key, found = choice.identity_key(integration.id), start.connection
    if key != link.identity_key:
        # The scopes fix a mode that the link leaves open.
        found = connection_identities.of_identity(rows, link.environment_id, key)
    if found is None:
        return None
    return Existing(
        found.identifier,
        found.workspace_id,
        found.workspace_name,
        found.created_at,
        found.installed_by,
        is_broken=found.status.is_broken,
    )


def waiting_approval(rows: Rows, link_id: str, at: datetime) -> WaitingApproval | None:
    found = connect_sessions.by_id(rows, link_id, at)
    return approvals.waiting(rows, found, at) if found else None


def page_of(integration: IntegrationRow, link: LinkRow | None, existing: Existing | None) -> StartPage:
    keys = link.context_keys if link else ()
    scopes = permissions.requested_scopes(integration, link)
    modes = records.possible_modes(link, scopes)
    return StartPage(
        branding=integration.branding,
        environment_id=integration.environment_id,
        mode=modes[0] if len(modes) == 1 else None,
        subscriber_id=link.subscriber_id if link else None,
        context_keys=keys,
        offered_contexts=link.offered_contexts if link else (),
        workspace_id=link.workspace_id if link else None,
        permissions=permissions.permissions(scopes),
        expires_at=link.expires_at if link else None,
        is_open=link is None or link.is_open,
        existing=existing,
        names_workspace=link is not None and link.kind == LinkKind.SESSION,
    )
