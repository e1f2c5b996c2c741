"""A photo that somebody sent becomes a picture that is nothing else: decoded, turned upright, made smaller, encoded
anew. Pure.

What phones write beside the picture (where it was taken, with which device) does not survive that; nor does a file
that only calls itself a picture.
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.Image import open as decode  # of bytes that are given: no file is opened

from schemas.errors import BadInput

LARGEST: Final = 12 * 1024 * 1024  #: bytes, as it comes
MOST_PIXELS: Final = 50_000_000  #: a phone's largest; more is a bomb
LEAST_SIDE: Final = 160  #: pixels: on less nothing can be seen
SIDE: Final = 1_600  #: pixels of the longer side, as it is kept
QUALITY: Final = 80
_FORMATS: Final = ("JPEG", "PNG", "WEBP")


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG of ours."""

    body: bytes
    sha256: str
    width: int
    height: int


def checked(raw: bytes) -> Picture:
    """The photo as it is kept; BadInput with field `photo` for what is none, too large or too small."""
    if not raw:
        raise BadInput("photo", "is empty")
    if len(raw) > LARGEST:
        raise BadInput("photo", f"is larger than {LARGEST // 1024 // 1024} MB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _encoded(raw)
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        IndexError,
        OverflowError,
    ):
        raise BadInput("photo", "is no picture that can be read: send a JPEG, PNG or WebP") from None


def _encoded(raw: bytes) -> Picture:
    with decode(BytesIO(raw), formats=_FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise BadInput("photo", f"has more than {MOST_PIXELS // 1_000_000} million pixels")
        if min(image.size) < LEAST_SIDE:
            raise BadInput("photo", f"is smaller than {LEAST_SIDE} pixels: nothing can be seen on it")
        image.draft("RGB", (SIDE, SIDE))  # a JPEG is decoded at the size that is needed
        upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    bare = Image.new("RGB", upright.size)  # nothing of what was beside the pixels
    bare.paste(upright)
    out = BytesIO()
    bare.save(out, "JPEG", quality=QUALITY, optimize=True)
    body = out.getvalue()
    return Picture(body, hashlib.sha256(body).hexdigest(), *bare.size)
