"""Refresh rotating tokens before they expire, and check every token once a day."""

from onboarding.jobs.definitions import Schedule, Workflow
from onboarding.runtime import Runtime
from onboarding.services import workspace_checks
from onboarding.services.connections import verify
from onboarding.services.tokens import schedule


def jobs(runtime: Runtime) -> tuple[Workflow | Schedule, ...]:
    return (
        Workflow(schedule.WORKFLOW, runtime.token_refresh.refresh),
        Schedule("refresh_tokens", "*/10 * * * * *", runtime.token_refresh.enqueue_due),
        Workflow(verify.WORKFLOW, runtime.connections.check),
        Workflow(workspace_checks.WORKFLOW, runtime.workspace_checks.check),
        Schedule("check_installations", "*/30 * * * * *", runtime.connections.enqueue_checks),
    )
