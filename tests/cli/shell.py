"""Run commands in their own processes, forked from one that has imported the product: a tenth of the time."""

import os
import subprocess
import sys
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from onboarding.cli import program

ROOT = Path(__file__).parents[2]
_MAX_SECONDS = 60
_processes = get_context("forkserver")
_processes.set_forkserver_preload(["tests.cli.prepared"])

Run = Callable[..., subprocess.CompletedProcess[str]]


def onboarding(environment: dict[str, str], *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run `onboarding …` with nothing but this environment. Raises TimeoutError."""
    with TemporaryDirectory() as folder:
        streams = [Path(folder, name) for name in ("stdin", "stdout", "stderr")]
        for stream, text in zip(streams, (typed, "", ""), strict=True):
            stream.write_text(text, encoding="utf-8")
        process = _processes.Process(target=_command, args=(environment, arguments, streams))
        process.start()
        process.join(_MAX_SECONDS)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"{arguments} took longer than {_MAX_SECONDS} seconds.")
        output = [stream.read_text(encoding="utf-8") for stream in streams]
        return subprocess.CompletedProcess(arguments, process.exitcode, output[1], output[2])


def _command(environment: dict[str, str], arguments: tuple[str, ...], streams: list[Path]) -> None:
    for number, stream in enumerate(streams):
        opened = os.open(stream, os.O_RDWR)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115  # as long as the process
        for number, mode in enumerate("rww")
    )
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.argv = ["onboarding", *arguments]
    program.main()


def bare() -> dict[str, str]:
    """Return an environment without settings, neither ours nor those of the developer who runs the tests."""
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


def is_one_line(result: subprocess.CompletedProcess[str], word: str) -> None:
    assert result.returncode != 0, result.stdout
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert word.lower() in result.stderr.lower()
