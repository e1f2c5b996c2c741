"""`telltale …` as a person types it: a process of its own, forked from one that has read our code already, which is
most of a command's work.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

_nursery = multiprocessing.get_context("forkserver")
_nursery.set_forkserver_preload(
    [
        "telltale.__main__",
        "telltale.cli",
        "telltale.command_context",
        "telltale.data",
        "actions.accounts",
        "actions.erasing",
    ]
)


def telltale(*words: str, env: Mapping[str, str], timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """What it said and how it ended, with `env` as its whole environment."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        child = _nursery.Process(target=_be, args=(words, dict(env), str(out), str(err)))
        child.start()
        child.join(timeout)
        if child.exitcode is None:
            child.kill()
            raise subprocess.TimeoutExpired(list(words), timeout)
        return subprocess.CompletedProcess(list(words), child.exitcode, out.read_text(), err.read_text())


def _be(words: tuple[str, ...], env: dict[str, str], out: str, err: str) -> None:
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), number)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["telltale", *words]
    from telltale.__main__ import main

    sys.exit(main())
