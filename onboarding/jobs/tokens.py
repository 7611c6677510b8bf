"""Refresh rotating tokens before they expire, and check every token once a day."""

from onboarding.jobs.definitions import Schedule, Workflow
from onboarding.runtime import Runtime


def jobs(runtime: Runtime) -> tuple[Workflow | Schedule, ...]:
    return (
        Workflow("refresh_token", runtime.token_refresh.refresh),
        Schedule("refresh_tokens", "*/10 * * * * *", runtime.token_refresh.enqueue_due),
        Workflow("check_installation", runtime.connections.check),
        Workflow("check_workspace", runtime.workspace_checks.check),
        Schedule("check_installations", "*/30 * * * * *", runtime.connections.enqueue_checks),
    )
