"""Continue bulk runs of the console."""

from onboarding.jobs.definitions import Workflow
from onboarding.runtime import Runtime


def jobs(runtime: Runtime) -> tuple[Workflow, ...]:
    return (Workflow("bulk", runtime.bulk.work),)
