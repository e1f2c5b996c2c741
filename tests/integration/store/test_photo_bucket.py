"""Photos in a bucket, on a server that speaks S3: what was put comes back, what is gone is not found, and a bucket that
is not there is a clear word and no lost photo.
"""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from schemas.errors import NotFound, Unavailable
from store.photo_shelf import Bucket, new_place

KEYS = {"access_key_id": "key", "secret_access_key": "secret", "region": "eu-central-1"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server of its own, with the bucket `photos`."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name=KEYS["region"],
        aws_access_key_id=KEYS["access_key_id"],
        aws_secret_access_key=KEYS["secret_access_key"],
    )
    client.create_bucket(Bucket="photos", CreateBucketConfiguration={"LocationConstraint": KEYS["region"]})
    yield f"http://{host}:{port}"
    server.stop()


async def test_what_was_put_comes_back_until_it_is_taken_away(endpoint: str) -> None:
    shelf, body = Bucket("s3://photos/house", endpoint=endpoint, **KEYS), bytes(range(256)) * 4_000
    places = [new_place(1, n) for n in range(3)]
    for place in places:
        await shelf.put(place, body + place.encode())
    assert [await shelf.get(place) for place in places] == [body + place.encode() for place in places]
    other = Bucket("s3://photos/other", endpoint=endpoint, **KEYS)
    with pytest.raises(NotFound):
        await other.get(places[0])
    await shelf.take_away([places[0], new_place(1, 9)])
    with pytest.raises(NotFound):
        await shelf.get(places[0])
    assert await shelf.get(places[1]) == body + places[1].encode()


async def test_a_bucket_that_is_not_there_keeps_nothing_and_says_so(endpoint: str) -> None:
    shelf = Bucket("s3://nowhere/house", endpoint=endpoint, **KEYS)
    with pytest.raises(Unavailable, match="no such bucket"):
        await shelf.put(new_place(1, 1), b"photo")


async def test_a_server_that_is_away_is_unavailable() -> None:
    shelf = Bucket("s3://photos/house", endpoint="http://127.0.0.1:9", **KEYS)
    with pytest.raises(Unavailable):
        await shelf.put(new_place(1, 1), b"photo")
