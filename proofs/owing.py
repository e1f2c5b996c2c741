"""Cars that speak while nobody listens: everything waits at the broker until a gateway comes."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from proofs import wire
from proofs.bench.cars import WINDOW, Car
from schemas.vehicle import topic

Bodies = Callable[[str], Iterator[bytes]]  # what the car of this VIN says, one body after the other


class _Talker(Car):
    """Makes its packets when they may go: a million of them would not fit."""

    def __init__(self, host: str, port: int, vin: str, secret: str) -> None:
        super().__init__(host, port, vin, secret)
        self._topic, self.done = topic(vin, "up/telemetry"), False
        self.bodies: Iterator[bytes] = iter(())

    def push(self) -> None:
        packets: list[bytes] = []
        while self.sent < self.acked + WINDOW and not self.done:
            body = next(self.bodies, None)
            if body is None:
                self.done = True
                break
            self.sent += 1
            packets.append(wire.publish(self._topic, body, self.sent % 65_535 + 1))
        if packets:
            self.socket.sendall(b"".join(packets))


def owe(
    host: str, port: int, keys: Mapping[str, str], bodies: Bodies, tell: Callable[[int], None] = lambda done: None
) -> int:
    """Every car says all it has; ends when the broker has acknowledged it. How many messages there were. It blocks."""
    poll, by_fd = select.epoll(), dict[int, _Talker]()
    for vin, key in keys.items():
        car = _signed_in(host, port, vin, key)
        car.bodies = bodies(vin)
        by_fd[car.socket.fileno()] = car
        poll.register(car.socket.fileno(), select.EPOLLIN)
        car.push()
    acknowledged = 0
    while by_fd:
        for fd, _ in poll.poll(60):
            car = by_fd[fd]
            before = car.acked
            car.hear()
            car.push()
            acknowledged += car.acked - before
            if car.done and car.acked == car.sent:
                poll.unregister(fd)
                car.socket.close()
                del by_fd[fd]
        tell(acknowledged)
        time.sleep(0.002)  # several acknowledgements for one system call
    return acknowledged


def _signed_in(host: str, port: int, vin: str, key: str) -> _Talker:
    """The gateway that has just left may have been asked, so a refusal is not final."""
    for _ in range(150):
        with suppress(ConnectionError):
            return _Talker(host, port, vin, key)
        time.sleep(0.2)
    raise ConnectionError(f"{vin} was refused again and again")
