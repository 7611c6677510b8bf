"""Single figures of a load, and the text in which the table shows them."""

from tools.bench.report import short
from tools.bench.rounds import Rounds, Speed


def speed_text(its: Rounds[Speed]) -> str:
    refused = sum(one.refused for one in its.all)
    return (
        f"{short(its.median(per_second))}/s · {short(its.median(p50))} / {short(its.median(p99))} ms · "
        f"{short(its.median(cpu))} ms CPU{f' · {refused} refused' if refused else ''}"
    )


def per_second(one: Speed) -> float:
    return one.per_second


def p50(one: Speed) -> float:
    return one.p50


def p99(one: Speed) -> float:
    return one.p99


def cpu(one: Speed) -> float:
    """Format milliseconds of processor time for one request or install."""
    return one.cpu
