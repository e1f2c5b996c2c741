"""All feeds: one file and one line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.feeds import jsonl, ovms, samsara, teslamate, traccar, viss, wican
from gateway.feeds.feed import Feed

FEEDS: Final[Mapping[str, Feed]] = {
    one.name: one
    for one in (
        ovms.FEED,
        teslamate.FEED,
        wican.FEED,
        viss.FEED,
        traccar.FEED,
        samsara.FEED,
        jsonl.FEED,
    )
}
