"""The result of an install, and the parts of it that another person may see."""

from dataclasses import dataclass, replace
from datetime import datetime

from onboarding.branding import NO_BRANDING, Branding
from onboarding.outcomes import GrantResult, Outcome
from onboarding.services.installs.permissions import Permission
from onboarding.slack.faults import is_slack_itself, is_unknown
from onboarding.store.links import LinkRow


@dataclass(frozen=True)
class Result:
    """The content of a result page. It shows neither workspace nor installer of another browser's attempt."""

    #: None while the attempt has not ended.
    outcome: Outcome | None
    attempt_id: str = ""
    reference: str = ""
    branding: Branding = NO_BRANDING
    integration_identifier: str = ""
    environment_id: str = ""
    workspace_id: str | None = None
    workspace_name: str | None = None
    workspace_domain_url: str | None = None
    expected_workspace_id: str | None = None
    expected_workspace_name: str | None = None
    #: Until when the person can decide, while the grant waits.
    expires_at: datetime | None = None
    mode: str | None = None
    subscriber_id: str | None = None
    context_keys: tuple[str, ...] = ()
    connection_identifier: str | None = None
    connected_at: datetime | None = None
    installed_by: str | None = None
    missing_permissions: tuple[Permission, ...] = ()
    is_organization: bool = False
    org_manage_url: str | None = None
    return_url: str | None = None
    #: Where the person gets a new link.
    refresh_url: str | None = None
    retry_after_seconds: int | None = None
    operator_detail: str | None = None
    #: Slack's error code. Some have a text of their own.
    slack_error: str | None = None
    #: The result of revoking a grant that no connection uses.
    grant_result: GrantResult | None = None
    finished_here: bool = False
    #: The attempt was not successful, and the connection that the customer had before still works.
    keeps_connection: bool = False
    #: The install succeeded, and its connection was removed or has lost its access to Slack since then.
    has_ended: bool = False
    #: The link that started the attempt, if the page may offer it again.
    link_id: str | None = None
    link_is_used: bool = False
    #: The link can start nothing more in this browser.
    link_is_over: bool = False
    link_expired_at: datetime | None = None
    #: Starts the install again in a browser that does not know the link.
    restart_token: str | None = None
    #: The attempt was started without the link, and this browser has not opened the link since.
    is_unopened: bool = False
    #: An operator started the attempt from the console.
    is_operators: bool = False
    approval_link_id: str | None = None
    approval_expires_at: datetime | None = None

    @property
    def app_name(self) -> str:
        return self.branding.name

    @property
    def is_slacks_own_fault(self) -> bool:
        """Return whether Slack answered, with a fault of its own."""
        return self.slack_error is not None and is_slack_itself(self.slack_error)

    @property
    def is_unknown_refusal(self) -> bool:
        """Return whether Slack refused with a code that this version does not know."""
        return self.slack_error is not None and is_unknown(self.slack_error)


def without_names(result: Result, link: LinkRow | None) -> Result:
    """Leave out what only the browser that connected may learn: the workspace, the installer, and what they chose."""
    keys, subscriber_id = (link.context_keys, link.subscriber_id) if link else ((), None)
    return replace(
        result,
        finished_here=False,
        subscriber_id=subscriber_id,
        context_keys=keys,
        mode=None,
        workspace_id=None,
        workspace_name=None,
        workspace_domain_url=None,
        org_manage_url=None,
        connected_at=None,
        installed_by=None,
        missing_permissions=(),
    )


def without_account(result: Result) -> Result:
    """Leave out what only the link's holder may learn: customer, expected workspace, the link and its way back."""
    return replace(
        result,
        subscriber_id=None,
        context_keys=(),
        expected_workspace_id=None,
        expected_workspace_name=None,
        connection_identifier=None,
        keeps_connection=False,
        return_url=None,
        refresh_url=None,
        link_id=None,
        is_unopened=True,
    )
