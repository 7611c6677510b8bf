"""Handle the events that Slack has sent, and forward them to hosts."""

from onboarding.jobs.definitions import Schedule, Workflow
from onboarding.runtime import Runtime
from onboarding.services.slack_events.receive import FORWARD_WORKFLOW, WORKFLOW


def jobs(runtime: Runtime) -> tuple[Workflow | Schedule, ...]:
    return (
        Workflow(WORKFLOW, runtime.slack_events.handle),
        Workflow(FORWARD_WORKFLOW, runtime.slack_events.forward),
        Schedule("enqueue-lost-slack-events", "45 * * * * *", runtime.slack_events.enqueue_lost),
    )
