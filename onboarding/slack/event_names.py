"""Names of the events that are handled."""

from onboarding.outcomes import EndpointStatus

APP_UNINSTALLED = "app_uninstalled"
TOKENS_REVOKED = "tokens_revoked"
TEAM_ACCESS_GRANTED = "team_access_granted"
TEAM_ACCESS_REVOKED = "team_access_revoked"
TEAM_RENAME = "team_rename"
TEAM_DOMAIN_CHANGE = "team_domain_change"
CHANNEL_ID_CHANGED = "channel_id_changed"
#: Slack's events about private channels begin with `group`.
CHANNEL_RENAMES = frozenset({"channel_rename", "group_rename"})
CHANNEL_STATUSES = {
    f"{prefix}_{suffix}": status
    for prefix in ("channel", "group")
    for suffix, status in (
        ("archive", EndpointStatus.ARCHIVED),
        ("unarchive", EndpointStatus.ACTIVE),
        ("deleted", EndpointStatus.DELETED),
    )
}
#: The types that the product acts on. All others are only forwarded.
HANDLED = frozenset(
    {
        APP_UNINSTALLED,
        TOKENS_REVOKED,
        TEAM_ACCESS_GRANTED,
        TEAM_ACCESS_REVOKED,
        TEAM_RENAME,
        TEAM_DOMAIN_CHANGE,
        CHANNEL_ID_CHANGED,
        *CHANNEL_RENAMES,
        *CHANNEL_STATUSES,
    }
)
