"""Continue bulk runs of the console."""

from onboarding.jobs.definitions import Schedule, Workflow
from onboarding.runtime import Runtime


def jobs(runtime: Runtime) -> tuple[Workflow | Schedule, ...]:
    return (
        Workflow("bulk", runtime.bulk.work),
        Schedule("enqueue-lost-bulk-runs", "30 * * * * *", runtime.bulk.enqueue_lost),
    )
