"""Denied publishes, read from the broker's log: MQTT 3.1.1 acknowledges them like any other, so nobody else would know."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

_DENIED = re.compile(rb'- "([^"\n]{1,64})" - (Publish|Subscription) Violation - [^\n]*?Subject "([^"\n]{0,300})"')
_MOST = 1 << 20  #: bytes read in one go


class Denials:
    """Follows the log from its end; a rotated log is begun anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode, self._at = self._where()

    def _where(self) -> tuple[int, int]:
        try:
            stat = self._path.stat()
        except OSError:
            return 0, 0
        return stat.st_ino, stat.st_size

    def new(self) -> dict[tuple[str, str, str], int]:
        """(publish or subscribe, client id, which begins with the VIN, last topic) -> how often since the last look."""
        inode, size = self._where()
        if inode != self._inode or size < self._at:
            self._inode, self._at = inode, 0
        if size == self._at:
            return {}
        with self._path.open("rb") as log:
            log.seek(self._at)
            text = log.read(_MOST)
        whole = text.rfind(b"\n") + 1
        self._at += whole
        counted: Counter[tuple[str, str, str]] = Counter()
        last: dict[tuple[str, str], str] = {}
        times: Counter[tuple[str, str]] = Counter()
        for user, kind, subject in _DENIED.findall(text[:whole]):
            key = ("denied_publish" if kind == b"Publish" else "denied_subscribe", user.decode(errors="replace"))
            times[key] += 1
            last[key] = subject.decode(errors="replace").replace(".", "/")
        for (kind_name, user_name), n in times.items():
            counted[(kind_name, user_name, last[(kind_name, user_name)])] = n
        return dict(counted)
