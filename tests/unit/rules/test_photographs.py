"""What is no photo is refused by name; what is one is kept as nothing but a picture."""

from __future__ import annotations

import contextlib
import random
import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from rules.service import photographs
from rules.service.photographs import LARGEST, checked
from schemas.errors import BadInput


def photo(size: tuple[int, int] = (640, 480), kind: str = "JPEG", **more: Any) -> bytes:
    out = BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind, **more)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_becomes_a_jpeg_of_ours(kind: str) -> None:
    kept = checked(photo(kind=kind))
    with Image.open(BytesIO(kept.body)) as image:
        assert (image.format, image.size) == ("JPEG", (640, 480)) == ("JPEG", (kept.width, kept.height))


def test_it_is_turned_upright_made_smaller_and_says_nothing_of_where_it_was_taken() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 0.0)  # where
    raw = photo((4000, 3000), exif=exif, comment=b"canary")
    kept = checked(raw)
    assert (kept.width, kept.height) == (1200, 1600)
    with Image.open(BytesIO(kept.body)) as image:
        assert not dict(image.getexif()) and "comment" not in image.info
    assert b"canary" in raw and b"canary" not in kept.body


def test_the_same_photo_is_the_same_picture() -> None:
    assert checked(photo()) == checked(photo())


def _bomb(width: int, height: int) -> bytes:
    """A PNG that is a hundred bytes and claims to be huge."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hello",
        b"\xff\xd8\xff\xe0" + b"\0" * 400,
        photo()[:900],
        photo((100, 100)),
        b"%PDF-1.7\n" + b"x" * 999,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        _bomb(60_000, 60_000),
        _bomb(9_000, 9_000),
        _bomb(800, 800),
        b"\0" * (LARGEST + 1),
        b"GIF89a" + b"\0" * 50,
        photo(kind="BMP"),
    ],
    ids=[
        "empty",
        "text",
        "no-jpeg",
        "cut-off",
        "too-small",
        "pdf",
        "svg",
        "bomb",
        "many-pixels",
        "no-pixels",
        "50-mb",
        "gif",
        "bmp",
    ],
)
def test_what_is_none_is_refused_and_says_so(raw: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        checked(raw)
    assert refused.value.field == "photo" and refused.value.reason


def test_no_bytes_make_it_fail_in_any_other_way() -> None:
    luck, whole = random.Random(4), [photo(kind=kind) for kind in ("JPEG", "PNG", "WEBP")]
    kept = 0
    for n in range(400):
        raw = bytearray(luck.choice(whole))
        for _ in range(luck.randrange(1, 30)):
            raw[luck.randrange(len(raw))] = luck.randrange(256)
        with contextlib.suppress(BadInput):
            kept += bool(photographs.checked(bytes(raw[: luck.randrange(1, len(raw) + 1)] if n % 3 == 0 else raw)))
    assert kept
