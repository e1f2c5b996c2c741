"""Which part of the cars is this gateway's: K of N, where K may be the number at the end of the host's name."""

from __future__ import annotations

import re

from schemas.errors import Misconfigured


def share_of(share: str, host: str) -> tuple[int, int]:
    """K and N of "K/N" or of "auto/N". Misconfigured where the host's name ends in no number."""
    k, _, n = share.partition("/")
    if k != "auto":
        return int(k), int(n)
    ordinal = re.search(r"-(\d+)$", host.partition(".")[0])
    if ordinal is None:
        why = f"{share} needs a host whose name ends in a number, as in gateway-0; this one is called {host}"
        raise Misconfigured("TELLTALE_SHARE", why)
    return int(ordinal[1]), int(n)
