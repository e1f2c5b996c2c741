"""Many cars in one cheap process: raw sockets, packets encoded beforehand, a small window each, as real units have.

    python -m proofs.bench.cars HOST PORT CARS MESSAGES RATE SEED

Credentials come as JSON {"vin": "secret"} on the first line of standard input; `go` on the second starts. RATE 0 is
as fast as the broker acknowledges. The last line is the result, JSON. Real cars bring their own processors: what this
process costs is taken from the broker and the gateway on the same machine, so it costs as little as Python can.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time

from proofs import wire
from proofs.bench.payloads import stream

WINDOW = 20
LINGER_S = 0.004  #: between two looks at all sockets: several acks for one system call
PUBACK_BYTES = 4


class Car:
    """One connection that publishes what it is given and counts what the broker took."""

    def __init__(self, host: str, port: int, vin: str, secret: str) -> None:
        self.packets: list[bytes] = []
        self.due = self.sent = self.acked = 0  #: packets that may go, went, were acknowledged
        self._half = 0  #: bytes of an acknowledgement that came in two pieces
        self.socket = socket.create_connection((host, port), 20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(wire.connect(vin, vin, secret))
        answer = self.socket.recv(4)
        if len(answer) < 4 or answer[3]:
            raise ConnectionError(f"{vin} was refused")

    def add(self, topic: str, body: bytes) -> None:
        """One more message to publish; its packet id is its number."""
        self.packets.append(wire.publish(topic, body, len(self.packets) % 65_535 + 1))

    def hear(self) -> int:
        """How many more the broker took. It says nothing but PUBACKs to a car that subscribes to nothing."""
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionError("the broker closed a car's connection")
        took, self._half = divmod(self._half + len(data), PUBACK_BYTES)
        self.acked += took
        return took

    def push(self) -> None:
        """Publish what is due and fits into the window, in one write."""
        upto = min(self.due, self.acked + WINDOW)
        if upto > self.sent:
            self.socket.sendall(b"".join(self.packets[self.sent : upto]))
            self.sent = upto


def drive(host: str, port: int, cars: int, messages: int, rate: float, seed: int) -> None:
    """All cars connect, then publish round the fleet."""
    secrets: dict[str, str] = json.loads(sys.stdin.readline())
    fleet = list(secrets)[:cars]
    made = [Car(host, port, vin, secrets[vin]) for vin in fleet]
    for n, (topic, body, _) in enumerate(stream(fleet, messages, seed)):
        made[n % len(made)].add(topic, body)
    print("ready", flush=True)
    sys.stdin.readline()
    poll = select.epoll()
    by_fd = {car.socket.fileno(): car for car in made}
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    at, cpu, acked, due = time.perf_counter(), time.process_time(), 0, 0
    while acked < messages:
        before, due = due, messages if not rate else min(messages, int((time.perf_counter() - at) * rate))
        touched = {made[n % len(made)] for n in range(before, min(due, before + len(made)))}
        for n, car in enumerate(made if due > before else ()):
            car.due = (due - n + len(made) - 1) // len(made)
        for fd, _ in poll.poll(0):
            acked += by_fd[fd].hear()
            touched.add(by_fd[fd])
        for car in touched:
            car.push()
        time.sleep(LINGER_S)
    seconds = time.perf_counter() - at
    answer = {
        "messages": messages,
        "seconds": seconds,
        "per_second": messages / seconds,
        "cpu_s": time.process_time() - cpu,
    }
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    drive(
        arguments[0],
        int(arguments[1]),
        cars=int(arguments[2]),
        messages=int(arguments[3]),
        rate=float(arguments[4]),
        seed=int(arguments[5]),
    )
