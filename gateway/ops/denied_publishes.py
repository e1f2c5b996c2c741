"""What the broker denies, read from its log: MQTT 3.1.1 acknowledges a denied publish like any other, so nobody else
would know.
"""

from __future__ import annotations

import re
from pathlib import Path

_DENIED = re.compile(
    rb'- "([^"\n]{1,64})" - (?:(Publish|Subscription) Violation - [^\n]*?Subject "([^"\n]{0,300})"|maximum '
    rb"(payload|subscriptions) exceeded(?:: (\d+))?)"
)
_KINDS = {
    b"Publish": "denied_publish",
    b"Subscription": "denied_subscribe",
    b"payload": "denied_size",
    b"subscriptions": "denied_subscribe",
}
_MOST = 1 << 20  #: bytes read in one go


class DeniedPublishes:
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

    def new(self) -> dict[tuple[str, str], tuple[int, str]]:
        """(kind, client id, which begins with the VIN) -> how often since the last look, and the last topic or size."""
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
        counted: dict[tuple[str, str], tuple[int, str]] = {}
        for user, violation, subject, limit, octets in _DENIED.findall(text[:whole]):
            key = _KINDS[violation or limit], user.decode(errors="replace")
            last = (
                subject.decode(errors="replace").replace(".", "/")
                if violation
                else f"{octets.decode()} bytes"
                if octets
                else "too many subscriptions"
            )
            counted[key] = counted.get(key, (0, ""))[0] + 1, last
        return counted
