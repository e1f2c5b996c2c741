"""What a text costs as SMS: parts and alphabet, and the nearest spelling that the cheap alphabet has."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import smsutil

#: Typography that doubles the price of a text and tells the reader nothing more.
_PLAINER = str.maketrans(
    {
        "‘": "'",
        "’": "'",
        "‚": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "«": '"',
        "»": '"',
        "–": "-",
        "—": "-",
        "‑": "-",
        "−": "-",
        "…": "...",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "•": "-",
        "·": "-",
        "°": "",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "ı": "i",
        "œ": "oe",
        "Œ": "OE",
    }
)
_SPACES = re.compile(r"[\s\u200b\u200e\u200f\ufeff]+")
_LINK = re.compile(r"(?<=[^\W\d_])\.(?=[^\W\d_]{2})|\b[a-zA-Z][a-zA-Z+]*:(?=//)|//")


@dataclass(frozen=True, slots=True)
class Text:
    """A finished text, and how many SMS parts it takes in which alphabet."""

    body: str
    parts: int
    encoding: str  #: gsm7 (160, then 153 a part) or ucs2 (70, then 67 a part)


def measure(body: str) -> Text:
    """How the network would cut it."""
    split = smsutil.split(body)
    return Text(body, max(1, len(split.parts)), "gsm7" if split.encoding.startswith("gsm") else "ucs2")


def typography(body: str) -> str:
    """Curly quotes, long dashes and special spaces as plain ones: the words stay as they are."""
    return body.translate(_PLAINER)


def without_accents(body: str) -> str:
    """The nearest spelling in the GSM alphabet: á becomes a, while ñ, é and ü are in it and stay."""
    return "".join(map(_nearest, typography(body)))


@lru_cache(maxsize=4096)
def _nearest(letter: str) -> str:
    if smsutil.is_valid_gsm(letter):
        return letter
    return "".join(c for c in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(c)) or letter


def one_line(words: str, longest: int = 120) -> str:
    """A name or note that somebody typed, fit for a text of ours: one line, not endless, and nothing that a phone makes
    a link of.
    """
    flat = _LINK.sub(" ", "".join(c for c in words if c.isprintable() or c.isspace()))
    flat = _SPACES.sub(" ", flat).strip()
    if len(flat) <= longest:
        return flat
    whole, _, _ = flat[: longest + 1].rpartition(" ")
    return whole.rstrip(" ,.-&+/(") if len(whole) * 2 >= longest else flat[: longest - 1].rstrip(" ,.-") + "."
