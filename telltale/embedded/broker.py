"""Our own small supervisor around nats-server: an MQTT broker with a disk store that asks the gateway who may sign
in.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import nkeys

from schemas.contract import GATEWAY
from schemas.errors import Misconfigured, Unavailable
from telltale.embedded.broker_tls import BrokerTls
from telltale.embedded.process import alive, command_line, die_with_parent, free_port

START_SECONDS = 30.0
STOP_SECONDS = 5.0
ACCOUNT = "CARS"  # where all MQTT lives
#: Users whom the broker knows by itself; every other sign-in is a car and is asked for.
USERS = ("gateway", "workshop")

#: What one car may cost: the largest message (the contract's 64 KiB and room to refuse more with a reason), and filters
#: of a session.
PAYLOAD, SUBSCRIPTIONS = "128KB", 32
#: The gateway commands no car: besides what it tells cars it may only feel its own pulse and try a broker out.
GATEWAY_SAYS, GATEWAY_HEARS = (
    tuple(
        topic.replace("/", ".").replace("+", "*")
        for topics, (may, _) in GATEWAY.items()
        if way in may
        for topic in topics
    )
    for way in ("write", "read")
)

# ack_wait: unacknowledged messages come again after it; the gateway's gap grace and reorder window are longer.
# max_ack_pending bounds a session, which is one bucket. The store is synced by the server every two minutes: kill -9
# loses nothing, and what a power cut takes the cars still have in their spools.
_CONFIG = """
server_name: telltale
listen: "{host}:{nats}"
pid_file: "{home}/broker.pid"
log_file: "{home}/broker.log"
logfile_size_limit: 64MB
logfile_max_num: 2
max_payload: {payload}
max_subscriptions: {subscriptions}
jetstream {{ store_dir: "{home}/store", max_memory_store: 64MB }}
mqtt {{
  listen: "{host}:{mqtt}", ack_wait: "{ack_wait}", max_ack_pending: {pending}, authorization {{ timeout: 5 }}{mqtt_tls}
}}
{tls}
authorization {{
  timeout: 3
  auth_callout {{ issuer: "{issuer}", auth_users: [ doorkeeper, gateway, workshop ], account: SYS }}
}}
system_account: SYS
accounts {{
  SYS {{ users: [ {{ user: doorkeeper, password: "{doorkeeper}" }} ] }}
  CARS {{
    jetstream: enabled
    users: [
      {{ user: gateway, password: "{gateway}",
         permissions: {{ publish: [ {gateway_says} ], subscribe: [ {gateway_hears} ] }} }}
      {{ user: workshop, password: "{workshop}",
         permissions: {{ publish: [ "workshop.>" ], subscribe: [ "workshop.>" ] }} }}
    ]
  }}
}}
"""


class EmbeddedBroker:
    """One broker below one home folder; `async with` starts and stops it."""

    def __init__(
        self,
        home: Path,
        *,
        port: int | None = None,
        ack_wait: str = "10s",
        max_ack_pending: int = 4000,
        host: str = "127.0.0.1",
        auth_port: int = 0,
        secrets: dict[str, str] | None = None,
        tls: BrokerTls | None = None,
    ) -> None:
        """`secrets` (telltale.embedded.credentials) replace the home's own, so that services elsewhere know them too;
        `tls` secures both ports.
        """
        self.home = home.resolve()
        self._host, self._given, self.tls = host, secrets, tls
        self._here = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # where we reach it ourselves
        self.port = port or 0  #: of MQTT; kept over restarts, so that cars find their way back
        self._fixed, self._auth_fixed = port is not None, bool(auth_port)
        self._nats = auth_port
        self._ack_wait, self._pending = ack_wait, max_ack_pending
        self._secrets: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._shown: tuple[int, ...] = ()

    @property
    def mqtt_url(self) -> str:
        """The gateway's way in."""
        return f"mqtt{'s' if self.tls else ''}://gateway:{self._secrets['gateway']}@{self._here}:{self.port}"

    @property
    def workshop_url(self) -> str:
        """The simulated mechanic's way in (topics `workshop/<vin>`)."""
        return f"mqtt{'s' if self.tls else ''}://workshop:{self._secrets['workshop']}@{self._here}:{self.port}"

    @property
    def auth_url(self) -> str:
        """Where the gateway's auth callout listens for sign-ins."""
        return f"{'tls' if self.tls else 'nats'}://doorkeeper:{self._secrets['doorkeeper']}@{self._here}:{self._nats}"

    @property
    def auth_seed(self) -> str:
        """The key that signs the auth callout's answers."""
        return self._secrets["issuer_seed"]

    @property
    def log(self) -> Path:
        """The broker's log: the only place where a denied publish shows (MQTT 3.1.1 cannot say no)."""
        return self.home / "broker.log"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.poll() is None else None

    async def start(self) -> None:
        """Start and wait until it takes an MQTT sign-in. A broker left behind by a killed supervisor is ended first."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.tls is not None:
            self.tls.check()
        self._secrets = self._keep_secrets()
        await self._end_leftover()
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        again = bool(self.port)
        while True:
            if not again:
                self.port = free_port()
            self._nats = self._nats if (again or self._auth_fixed) and self._nats else free_port()
            self._launch()
            if await self._answers(min(deadline, asyncio.get_running_loop().time() + 10)):
                return
            if asyncio.get_running_loop().time() > deadline:
                self.kill()
                raise Unavailable("the MQTT broker", f"it did not start: {self._last_words()} (see {self.log})")
            again = again or self._fixed
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """Orderly: what it PUBACKed is on disk either way."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)

    def kill(self) -> None:
        """kill -9, for the proofs; `start()` brings it back on the same ports."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wipe(self) -> None:
        """Lose everything it stored, sessions included; only while it does not run."""
        shutil.rmtree(self.home / "store", ignore_errors=True)

    def erase(self) -> None:
        """Forget everything (demo --fresh); only while it does not run."""
        self.wipe()
        for name in ("broker.json", "broker.log"):
            (self.home / name).unlink(missing_ok=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _keep_secrets(self) -> dict[str, str]:
        if self._given is not None:
            return self._given
        path = self.home / "broker.json"
        if path.exists():
            try:
                kept: dict[str, str] = json.loads(path.read_text())
            except ValueError:
                raise Misconfigured(str(path), "cannot be read: remove it, or start anew with demo --fresh") from None
            return kept
        made = {name: secrets.token_hex(24) for name in ("gateway", "workshop", "doorkeeper")}
        made["issuer_seed"] = bytes(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_ACCOUNT)).decode()
        path.touch(mode=0o600)
        path.write_text(json.dumps(made))
        return made

    @property
    def renewed(self) -> bool:
        """Whether its certificate is not the one that lay there when it was started: its program reads it only then."""
        return self.tls is not None and self.tls.written() not in ((), self._shown)

    def _launch(self) -> None:
        self._shown = self.tls.written() if self.tls else ()
        issuer = bytes(nkeys.from_seed(self.auth_seed.encode()).public_key).decode()
        config = self.home / "broker.conf"
        config.touch(mode=0o600)
        config.write_text(
            _CONFIG.format(
                host=self._host,
                nats=self._nats,
                mqtt=self.port,
                home=self.home,
                issuer=issuer,
                ack_wait=self._ack_wait,
                pending=self._pending,
                payload=PAYLOAD,
                subscriptions=SUBSCRIPTIONS,
                gateway_says=_quoted(GATEWAY_SAYS),
                gateway_hears=_quoted(GATEWAY_HEARS),
                doorkeeper=self._secrets["doorkeeper"],
                gateway=self._secrets["gateway"],
                workshop=self._secrets["workshop"],
                mqtt_tls=", " + self.tls.block(clients=True) if self.tls else "",
                tls=self.tls.block(clients=False) if self.tls else "",
            )
        )
        self._process = subprocess.Popen(
            [str(program()), "-c", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={"PATH": "/usr/bin:/bin"},
            start_new_session=True,  # Ctrl-C in the terminal reaches us first, then we stop it in order
            preexec_fn=die_with_parent(signal.SIGTERM),
        )

    async def _answers(self, deadline: float) -> bool:
        """Wait until the gateway's own user is let in by MQTT; False when the broker ended instead."""
        while asyncio.get_running_loop().time() < deadline and self.pid is not None:
            with contextlib.suppress(OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
                async with asyncio.timeout(2):
                    if self.tls is not None and self.tls.ca is not None:  # we have no certificate to show
                        return await _greets(self._here, self._nats)
                    if await _signs_in(
                        self._here, self.port, user="gateway", password=self._secrets["gateway"], tls=self.tls
                    ):
                        return True
            await asyncio.sleep(0.03)
        return False

    async def _end_leftover(self) -> None:
        try:
            pid = int((self.home / "broker.pid").read_text())
        except (OSError, ValueError):
            return
        if self.pid != pid and alive(pid) and str(self.home / "broker.conf") in command_line(pid):
            os.kill(pid, signal.SIGTERM)
            for _ in range(int(STOP_SECONDS / 0.05)):
                if not alive(pid):
                    return
                await asyncio.sleep(0.05)
            os.kill(pid, signal.SIGKILL)

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").strip().splitlines()
            return next(
                (line for line in reversed(lines) if "[FTL]" in line or "[ERR]" in line),
                lines[-1] if lines else "no log",
            )
        return "no log"


def _quoted(subjects: tuple[str, ...]) -> str:
    return ", ".join(f'"{subject}"' for subject in subjects)


def program() -> Path:
    """nats-server from the wheel beside our Python, or from the system."""
    beside = Path(sys.executable).parent / "nats-server"
    if beside.exists():
        return beside
    found = shutil.which("nats-server")
    if found is None:
        raise Misconfigured(
            "MQTT_URL",
            "no broker found: install the locked packages (./run does), or set this to your broker's address",
        )
    return Path(found)


async def _greets(host: str, port: int) -> bool:
    """Whether the server says its INFO line, which it does once all its listeners stand."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        return (await reader.readline()).startswith(b"INFO ")
    finally:
        writer.close()


async def _signs_in(host: str, port: int, user: str, password: str, tls: BrokerTls | None) -> bool:
    """A bare MQTT 3.1.1 CONNECT (clean session), and whether the CONNACK says yes."""
    fields = [b"telltale-probe", user.encode(), password.encode()]
    body = b"\x00\x04MQTT\x04\xc2\x00\x05" + b"".join(len(f).to_bytes(2, "big") + f for f in fields)
    reader, writer = await asyncio.open_connection(host, port, ssl=tls.ourselves() if tls else None)
    try:
        writer.write(b"\x10" + bytes([len(body)]) + body)
        answer = await reader.readexactly(4)
        writer.write(b"\xe0\x00")
        return answer[3] == 0
    finally:
        writer.close()
