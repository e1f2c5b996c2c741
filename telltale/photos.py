"""Where the photos of handover records lie: a folder of the home, or the bucket that the settings name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, SecretStr

from store.photo_shelf import Bucket, Folder, Shelf


class PhotoSettings(BaseModel):
    """The settings of that."""

    photos_url: Annotated[
        str,
        Field(
            pattern=r"^(s3://[a-z0-9.-]{3,63}(/.*)?)?$",
            description="bucket in which the photos of handover records lie, s3://bucket/folder (needs the extra "
            "`s3`); empty: the folder `photos` of the home. All desk processes and commands must reach the same",
        ),
    ] = ""
    photos_endpoint: Annotated[
        str, Field(description="address of an object store that is not Amazon's, https://minio.example:9000")
    ] = ""
    photos_region: Annotated[str, Field(description="region of the bucket")] = "us-east-1"
    photos_key: Annotated[str, Field(description="access key of the bucket")] = ""
    photos_secret: Annotated[SecretStr, Field(description="secret access key of the bucket")] = SecretStr("")

    def photo_shelf(self, home: Path) -> Shelf:
        """As they say."""
        if not self.photos_url:
            return Folder(home / "photos")
        keys = {"access_key_id": self.photos_key, "secret_access_key": self.photos_secret.get_secret_value()}
        return Bucket(self.photos_url, endpoint=self.photos_endpoint, region=self.photos_region, **keys)


def back_up(home: Path, folder: Path) -> int:
    """The pictures of the home, into a backup that is being made; how many."""
    return _copied(home / "photos", folder / "photos")


def bring_back(folder: Path, home: Path) -> int:
    """Those of a backup, into the home; one that is there already stays."""
    return _copied(folder / "photos", home / "photos")


def _copied(source: Path, to: Path) -> int:
    """Whole or not at all, each; one that goes meanwhile was erased."""
    found = 0
    for path in sorted(source.glob("*/*/*.jpg")):
        target = to / path.relative_to(source)
        if not target.exists():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            half = target.with_suffix(".partial")
            try:
                body = path.read_bytes()
            except FileNotFoundError:
                continue
            with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            half.replace(target)
        found += 1
    return found
