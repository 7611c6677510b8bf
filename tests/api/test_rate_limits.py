"""The rate limit of a caller in the memory of one process."""

import threading
import time
from collections.abc import Callable

from onboarding.api.moving_windows import MovingWindows
from onboarding.api.rate_limit import RateLimit
from tests.api.conftest import Program
from tests.browser_client import Site


def test_key_can_send_requests_again_after_a_second(start_site: Callable[..., Site]) -> None:
    site = start_site(api_rate_limit=2)
    program = Program(site, site.api_key("one", "Development"))
    while program.asks("GET", "/v1/integrations").status_code != 429:
        pass
    time.sleep(1)
    answers = [program.asks("GET", "/v1/integrations") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].headers["RateLimit-Remaining"] == "0"
    assert answers[1].headers["RateLimit-Reset"] == "1"


def test_counting_a_request_starts_no_thread() -> None:
    limit = RateLimit(5, "memory://")
    time.sleep(0.05)
    before = _timers()
    assert limit.hit("key:one")
    assert _timers() <= before


def test_caller_without_requests_for_a_second_is_forgotten() -> None:
    windows = MovingWindows()
    for number in range(100):
        windows.acquire_entry(f"key:{number}", 5, 1)
    time.sleep(1.01)
    assert windows.acquire_entry("key:100", 5, 1)
    assert windows.reset() == 1


def _timers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)}
