"""A view: what somebody looks at again and again in a list, kept under a name."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlencode

from pydantic import BaseModel, ConfigDict

from schemas.errors import BadInput

#: Of each list the parts of its address that say what is shown.
LISTS: Final = {
    "queue": ("show", "severity"),
    "vehicles": ("show", "search"),
    "owners": ("show", "search"),
    "inbox": ("show",),
}
LONGEST = 60


class View(BaseModel):
    """`query` is that of the list's address. `mine`: of whoever looks."""

    model_config = ConfigDict(frozen=True)

    id: int
    list: str
    name: str
    query: str
    shared: bool
    mine: bool
    maker: str

    @property
    def href(self) -> str:
        """Where it is seen."""
        return f"/{self.list}?{self.query}" if self.query else f"/{self.list}"


def kept_of(which: str, query: str) -> str:
    """What of an address is a view: known names, each once, and no place in the list; BadInput for no list of ours."""
    if which not in LISTS:
        raise BadInput("list", "is one of ours")
    asked = dict(parse_qsl(query[:1000].replace("\x00", ""), keep_blank_values=False))
    return urlencode({name: asked[name][:100] for name in LISTS[which] if name in asked})
