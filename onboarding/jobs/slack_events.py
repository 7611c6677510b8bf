"""Handle the events that Slack has sent, and forward them to hosts."""

from onboarding.jobs.definitions import Schedule, Workflow
from onboarding.runtime import Runtime


def jobs(runtime: Runtime) -> tuple[Workflow | Schedule, ...]:
    return (
        Workflow("slack_event", runtime.slack_events.handle),
        Workflow("forward_slack_event", runtime.slack_events.forward),
        Schedule("enqueue-lost-slack-events", "45 * * * * *", runtime.slack_events.enqueue_lost),
    )
