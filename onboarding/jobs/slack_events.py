"""Handle the events that Slack has sent, and forward them to hosts."""

from onboarding.jobs.definitions import Workflow
from onboarding.runtime import Runtime


def jobs(runtime: Runtime) -> tuple[Workflow, ...]:
    return (
        Workflow("slack_event", runtime.slack_events.handle),
        Workflow("forward_slack_event", runtime.slack_events.forward),
    )
