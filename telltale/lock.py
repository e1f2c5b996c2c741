"""One telltale per home: the kernel drops the lock with the process, so nothing is ever stale."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from schemas.errors import Misconfigured


class HomeLock:
    """Held for as long as a demo or story runs on its home."""

    def __init__(self, home: Path) -> None:
        self._path = home / "lock"
        self._fd = -1

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Misconfigured(
                "TELLTALE_HOME",
                f"{self._path.parent} cannot be used ({error.strerror}): name a folder that you may write",
            ) from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._fd, 20).decode().strip() or "unknown"
            os.close(self._fd)
            raise Misconfigured(
                "TELLTALE_HOME",
                f"{self._path.parent} is in use by another telltale (process {holder}): stop that one, or give this "
                "one its own home",
            ) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)
