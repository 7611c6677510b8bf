"""The SQLite file is deleted or replaced while the server runs: nothing is written to the lost file."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.api.conftest import INTEGRATION, Program
from tests.browser_client import client_of
from tests.conftest import Clock, sites

# On SQLite whichever database this run is for.
pytestmark = pytest.mark.once


def _delete(file: Path) -> None:
    file.unlink()


def _replace(file: Path) -> None:
    copy = file.with_suffix(".copy")
    shutil.copy(file, copy)
    copy.rename(file)


@pytest.mark.parametrize("is_connected", [True, False], ids=["connected", "new connection"])
@pytest.mark.parametrize("change", [_delete, _replace])
def test_next_write_and_readyz_notice_and_answer_503(
    tmp_path: Path, clock: Clock, change: Callable[[Path], None], is_connected: bool
) -> None:
    file = tmp_path / "guarded.sqlite3"
    with sites(f"sqlite:///{file}", tmp_path, clock) as start:
        site = start()
        site.add_practice_app(INTEGRATION, "Northwind", "Development")
        program = Program(site, site.api_key("a program", "Development"))
        assert program.creates().status_code == 201
        kept = tmp_path / "kept"
        kept.hardlink_to(file)
        change(file)
        with capture_logs() as logs, client_of(site) as probe:
            if not is_connected:
                site.runtime.database.close()
                assert program.asks("GET", "/v1/channel-connections").status_code == 503, "the other file is not read"
            refused = program.creates(subscriberId="bea")
            assert (refused.status_code, refused.json()["code"]) == (503, "storage_unavailable")
            assert probe.get("/readyz").status_code == 503
        reported = [one for one in logs if one["event"] == "database.file_changed"]
        assert [one["path"] for one in reported] == [str(file)]
        assert "start the server again" in reported[0]["todo"]
        assert change is _replace or not file.exists(), "no empty file is created"
        kept.rename(file) if change is _delete else kept.replace(file)
        with client_of(site) as probe:
            assert probe.get("/readyz").status_code == 200
        assert program.creates(subscriberId="bea").status_code == 201
