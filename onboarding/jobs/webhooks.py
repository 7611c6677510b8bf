"""Send webhooks to hosts, and delete old deliveries."""

from onboarding.events import DELIVER
from onboarding.jobs.definitions import Schedule, Workflow
from onboarding.runtime import Runtime


def jobs(runtime: Runtime) -> tuple[Workflow | Schedule, ...]:
    delivering = runtime.webhooks.delivering
    return (
        Workflow(DELIVER, delivering.deliver),
        Schedule("enqueue-lost-webhooks", "15 * * * * *", delivering.enqueue_lost),
        Schedule("purge-webhooks", "0 20 * * * *", delivering.purge),
    )
