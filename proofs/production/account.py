"""Programs as production runs them: no root, no terminal, an environment of their own, gone when we are gone."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from telltale.embedded.process import die_with_parent

PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


def ordinary(program: str) -> list[str]:
    """What to put before a command so that an ordinary user runs it; nothing where we are one ourselves.

    Root lends `nobody`, who may look into root's folders where our Python lies in one, and write in none of them.
    """
    if os.geteuid() != 0:
        return []
    who = pwd.getpwnam("nobody")
    closed = [] if _open_to_all(Path(program)) else ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return [
        "setpriv",
        f"--reuid={who.pw_uid}",
        f"--regid={who.pw_gid}",
        "--clear-groups",
        "--pdeathsig",
        "SIGTERM",
        *closed,
    ]


def _open_to_all(path: Path) -> bool:
    """Whether everybody may walk to this file, and to what it is a link to."""
    return all(
        parent.stat().st_mode & 0o005
        for place in (path.absolute(), path.resolve())
        for parent in (place, *place.parents)
    )


def give(*paths: Path) -> None:
    """These files and folders, with all that is in them, belong to the ordinary user."""
    if os.geteuid() == 0:
        who = pwd.getpwnam("nobody")
        for path in paths:
            for one in (path, *path.rglob("*")) if path.is_dir() else (path,):
                os.chown(one, who.pw_uid, who.pw_gid, follow_symlinks=False)


def program(name: str) -> str | None:
    """Where it is; Debian keeps servers out of the users' path."""
    return shutil.which(name, path=PATH)


def spawn(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start it; what it says goes to the end of `log`."""
    given = {"PATH": PATH, "LANG": "C.UTF-8", **(environment or {})}
    preloaded = given.pop("LD_PRELOAD", None)  # not for the program that only lends us its account
    late = ["env", f"LD_PRELOAD={preloaded}"] if preloaded else []
    with log.open("ab") as output:
        return subprocess.Popen(
            [*ordinary(command[0]), *late, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=given,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )


def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None, timeout_s: float = 120.0) -> str:
    """Run it to its end as the ordinary user: what it said on standard output.

    CalledProcessError tells what it complained of.
    """
    done = subprocess.run(
        [*ordinary(command[0]), *command],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        cwd="/",
        stdin=subprocess.DEVNULL,
        env={"PATH": PATH, "LANG": "C.UTF-8", **(environment or {})},
    )
    if done.returncode != 0:
        raise Refused(command, done.returncode, done.stderr.strip() or done.stdout.strip())
    return done.stdout


class Refused(Exception):
    """A command ended with a complaint."""

    def __init__(self, command: Sequence[str], status: int, words: str) -> None:
        self.status, self.words = status, words
        super().__init__(f"{' '.join(command[-6:])} ended with {status}: {words[-1500:]}")


def end(
    process: subprocess.Popen[bytes] | None, how: signal.Signals = signal.SIGTERM, within_s: float = 10.0
) -> int | None:
    """Tell it and all that it started to end, and wait; kill -9 when it does not."""
    if process is None:
        return None
    for number, seconds in ((how, within_s), (signal.SIGKILL, 10.0)):
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    return process.poll()


PYTHON = sys.executable
