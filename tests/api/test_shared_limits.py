"""Replicas that share a Redis count a key's requests together; without it each replica counts by itself."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from redis import Redis

from onboarding.api.rate_limit import RateLimit
from tests import plain_http
from tests.api.conftest import INTEGRATION, Program
from tests.browser_client import Site
from tests.ports import free_port


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port, program = free_port(), shutil.which("redis-server")
    assert program, "make test installs it"
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen([program, *options], stdout=subprocess.PIPE)
    assert server.stdout is not None
    for line in server.stdout:
        if b"Ready to accept connections" in line:
            break
    yield f"redis://127.0.0.1:{port}/0", server
    server.kill()
    server.wait()
    server.stdout.close()


def test_two_replicas_count_together(
    start_site: Callable[..., Site], redis: tuple[str, subprocess.Popen[bytes]]
) -> None:
    shared = {"rate_limit_storage": SecretStr(redis[0]), "api_rate_limit": 5}
    sites = [start_site(**shared), start_site(**shared)]
    key = sites[0].api_key("both", "Development")
    statuses = [_asks(sites[index % 2], key).status_code for index in range(12)]
    assert statuses[:5] == [200] * 5
    assert 429 in statuses


def test_requests_succeed_while_the_shared_storage_is_down(
    start_site: Callable[..., Site], redis: tuple[str, subprocess.Popen[bytes]]
) -> None:
    address, server = redis
    site = start_site(rate_limit_storage=SecretStr(address))
    key = site.api_key("both", "Development")
    assert _asks(site, key).status_code == 200
    server.kill()
    server.wait()
    assert _asks(site, key).status_code == 200


def test_response_is_unchanged_if_the_storage_fails_after_counting(
    start_site: Callable[..., Site], redis: tuple[str, subprocess.Popen[bytes]]
) -> None:
    address, server = redis
    site = start_site(rate_limit_storage=SecretStr(address))
    site.add_practice_app(INTEGRATION, "Northwind", "Development")
    program = Program(site, site.api_key("both", "Development"))
    identifier = program.creates().json()["identifier"]
    site.slack.answers_slowly("auth.test", 60)
    with ThreadPoolExecutor() as threads, Redis.from_url(address) as counts:
        counts.flushall()
        verified = threads.submit(program.asks, "POST", f"/v1/channel-connections/{identifier}/verify")
        while not counts.dbsize():
            time.sleep(0.01)
        server.kill()
        server.wait()
        site.slack.faults.clear()
        answer = verified.result(10)
    assert answer.status_code == 200
    assert not any(name.startswith("ratelimit") for name in answer.headers)


def test_process_counts_alone_while_the_shared_storage_fails() -> None:
    limit = RateLimit(2, f"redis://127.0.0.1:{free_port()}/0")
    assert [limit.hit("key:one") for _ in range(3)] == [True, True, False]
    assert limit.hit("key:other")
    assert limit.headers("key:one")["RateLimit-Remaining"] == "0"


def _asks(site: Site, key: str) -> httpx.Response:
    headers = {"Authorization": f"ApiKey {key}"}
    return plain_http.get(f"{site.settings.origin}/v1/integrations", headers=headers)
