"""Where pictures lie: a folder, or a bucket of an object store. A name is ours, `dealer/visit/random.jpg`; what it
holds is never changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import re
import secrets
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from schemas.errors import Misconfigured, NotFound, Unavailable

_NAME = re.compile(r"\d+/\d+/[0-9a-f]{32}\.jpg")
_PATIENCE = timedelta(seconds=20)


class Shelf(Protocol):
    """Unavailable when it cannot be reached."""

    async def put(self, place: str, body: bytes) -> None:
        """Keep it; once this returns it is there after a crash."""

    async def get(self, place: str) -> bytes:
        """What was kept, or NotFound."""

    async def take_away(self, places: Iterable[str]) -> None:
        """These are gone; that one of them was not there is no error."""


def new_place(dealer_id: int, booking_id: int) -> str:
    """A name that nobody can guess."""
    return f"{dealer_id}/{booking_id}/{secrets.token_hex(16)}.jpg"


class NoShelf:
    """A house that was given none."""

    async def put(self, place: str, body: bytes) -> None:
        raise Unavailable("the photos", "no place for them is set up")

    async def get(self, place: str) -> bytes:
        raise Unavailable("the photos", "no place for them is set up")

    async def take_away(self, places: Iterable[str]) -> None:
        if list(places):
            raise Unavailable("the photos", "no place for them is set up")


class Folder:
    """Files below one folder, readable for us alone."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, place: str, body: bytes) -> None:
        await _told(asyncio.to_thread(self._put, place, body))

    async def get(self, place: str) -> bytes:
        try:
            return bytes(await _told(asyncio.to_thread(self._path(place).read_bytes)))
        except FileNotFoundError:
            raise NotFound("photo") from None

    async def take_away(self, places: Iterable[str]) -> None:
        await _told(asyncio.to_thread(self._take_away, list(places)))

    def _path(self, place: str) -> Path:
        if not _NAME.fullmatch(place):
            raise NotFound("photo")
        return self._root / place

    def _put(self, place: str, body: bytes) -> None:
        """Whole or not at all, and on the disk when it returns."""
        path = self._path(place)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        half = path.with_suffix(".partial")
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
        _sync(path.parent)

    def _take_away(self, places: list[str]) -> None:
        for place in places:
            path = self._path(place)
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # others lie there still
                path.parent.rmdir()


class Bucket:
    """A bucket by its URL, `s3://bucket/folder`. Needs the extra `s3` (obstore); keys come from settings, never out of
    the URL.
    """

    def __init__(self, url: str, **options: str) -> None:
        try:
            stores = importlib.import_module("obstore.store")
        except ImportError:
            raise Misconfigured("TELLTALE_PHOTOS_URL", "needs the extra `s3`: pip install 'telltale[s3]'") from None
        self._obstore = importlib.import_module("obstore")
        try:
            self._store: Any = stores.from_url(
                url,
                config={name: value for name, value in options.items() if value},
                client_options={
                    "timeout": _PATIENCE,
                    "allow_http": url.startswith("http:") or options.get("endpoint", "").startswith("http:"),
                },
                retry_config={"max_retries": 2, "retry_timeout": _PATIENCE},
            )
        except Exception as error:
            raise Misconfigured("TELLTALE_PHOTOS_URL", str(error).splitlines()[0]) from None

    async def put(self, place: str, body: bytes) -> None:
        try:
            await self._reached(self._obstore.put_async(self._store, place, body))
        except FileNotFoundError as error:  # of a photo that is put only the bucket can be missing
            raise Unavailable("the photos", "there is no such bucket") from error

    async def get(self, place: str) -> bytes:
        try:
            found = await self._reached(self._obstore.get_async(self._store, place))
        except FileNotFoundError:
            raise NotFound("photo") from None
        return bytes(await self._reached(found.bytes_async()))

    async def take_away(self, places: Iterable[str]) -> None:
        for place in places:
            with contextlib.suppress(FileNotFoundError):
                await self._reached(self._obstore.delete_async(self._store, place))

    async def _reached(self, work: Any) -> Any:
        try:
            return await work
        except FileNotFoundError:
            raise
        except (
            Exception
        ) as error:  # each object store has errors of its own; the way to it may be down, or the keys wrong
            raise Unavailable("the photos", f"{type(error).__name__}") from error


async def _told(work: Any) -> Any:
    """A full disk or a folder that is not ours is said as what it is to a caller: not available now."""
    try:
        return await work
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unavailable("the photos", error.strerror or type(error).__name__) from error


def _sync(folder: Path) -> None:
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
