"""A Debian machine for who follows a page of ours: its PostgreSQL runs, `systemctl` starts units, and everything lies
in one folder.

What a test cannot have is stood in for: systemd by `Machine.systemctl`, which reads the very units; the package
manager, for the packages are there; and the world's names, ports and folders by this machine's (`here`). Everything
else is run as it stands.
"""

from __future__ import annotations

import asyncio
import contextlib
import pwd
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from proofs.production import account
from proofs.production.postgres import newest
from telltale.data import ROOT
from telltale.embedded.process import free_port

PORTS = ("443", "5432", "8080", "8883", "8884")
FOLDERS = (
    "/etc/telltale",
    "/etc/systemd",
    "/etc/nginx",
    "/etc/letsencrypt",
    "/usr/local/bin",
    "/var/lib/telltale-mosquitto",
    "/var/lib/telltale",
)
NAMES = ("telltale.nord.example", "broker.nord.example")
READY_S = 60.0
_CLIENT = """#!{python}
import socket, sys
with socket.socket(socket.AF_UNIX) as systemd:
    systemd.connect("{address}")
    systemd.sendall("\\0".join(sys.argv[1:]).encode() + b"\\n")
    said = systemd.makefile().read()
sys.exit(said or 0)
"""
_NGINX = """daemon off; pid {home}/nginx.pid; error_log {home}/nginx.log; events {{}}
http {{ access_log off; client_body_temp_path {home}/n1; proxy_temp_path {home}/n2;
fastcgi_temp_path {home}/n3; uwsgi_temp_path {home}/n4; scgi_temp_path {home}/n5;
{sites} }}
"""


class Refused(AssertionError):
    """A block of the page, or a unit that it starts, ended with a complaint."""


def _lent(user: str) -> list[str]:
    """What gives root's rights away, as User= does; but a checkout in root's home may be read."""
    if user == "root":
        return []
    who = pwd.getpwnam(user)
    return [
        "setpriv",
        f"--reuid={who.pw_uid}",
        f"--regid={who.pw_gid}",
        "--clear-groups",
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
    ]


def _lines(unit: str) -> list[str]:
    """Those of [Service] that say something."""
    service = unit.partition("[Service]")[2].partition("\n[")[0]
    return [line.strip() for line in service.splitlines() if "=" in line and not line.startswith("#")]


@dataclass
class Machine:
    """`async with Machine(home) as machine:`, then `await machine.run(block)` for each block."""

    home: Path
    ports: dict[str, int] = field(default_factory=lambda: {port: free_port() for port in PORTS})
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _told: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        """How owners and staff reach the desk."""
        return self.here("https://telltale.nord.example")

    def here(self, text: str) -> str:
        """With this machine's names, ports and folders, as a reader would put their own."""
        for folder in FOLDERS:
            text = re.sub(rf"(?<![\w./-]){re.escape(folder)}(?![\w-])", str(self.home) + folder, text)
        text = re.sub(r"(?<![\w./-])/opt/telltale(?![\w-])", str(ROOT), text).replace(
            "https://telltale.nord.example", f"https://telltale.nord.example:{self.ports['443']}"
        )
        for name in NAMES:
            text = text.replace(name, "localhost")
        ports = "|".join(PORTS)
        text = re.sub(rf"(?<=:)({ports})\b", lambda found: str(self.ports[found[0]]), text)
        text = re.sub(rf"(?<=\blisten )({ports})\b", lambda found: f"127.0.0.1:{self.ports[found[0]]}", text)
        return text.replace(
            "broker-config mosquitto",
            f"broker-config mosquitto --port {self.ports['8883']} --gateway-port {self.ports['8884']}",
        )

    # -- the machine --------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        for folder in (
            "bin",
            "run",
            "logs",
            "etc/systemd/system",
            "etc/nginx/sites-available",
            "etc/nginx/sites-enabled",
            "var/lib",
        ):
            (self.home / folder).mkdir(parents=True)
        await self._database()
        self._server = await asyncio.start_unix_server(self._asked, self.home / "systemd")
        for name, words in {
            "systemctl": _CLIENT.format(python=sys.executable, address=self.home / "systemd"),
            "apt-get": "#!/bin/sh\n",
        }.items():
            (self.home / "bin" / name).write_text(words)
            (self.home / "bin" / name).chmod(0o755)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for process in reversed(self.running.values()):
            await asyncio.to_thread(account.end, process, signal.SIGTERM)
        for told in self._told:
            told.close()

    async def _database(self) -> None:
        """As Debian leaves it: the account postgres by its socket, everybody else by password."""
        bin_, data = newest(), self.home / "postgres"
        assert bin_ is not None
        data.mkdir()
        for path in (data, self.home / "run"):
            shutil.chown(path, "postgres", "postgres")
        made = [
            str(bin_ / "initdb"),
            "-D",
            str(data),
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-N",
            "--auth-local=peer",
            "--auth-host=scram-sha-256",
        ]
        await self._as("postgres", made)
        served = [
            str(bin_ / "postgres"),
            "-D",
            str(data),
            "-p",
            str(self.ports["5432"]),
            "-c",
            f"unix_socket_directories={self.home / 'run'}",
        ]
        self._spawn("postgresql", ["runuser", "-u", "postgres", "--", *served], {})
        async with asyncio.timeout(READY_S):
            while not (self.home / "run" / f".s.PGSQL.{self.ports['5432']}").exists():
                await asyncio.sleep(0.05)

    async def _as(self, user: str, command: list[str]) -> None:
        done = await asyncio.to_thread(
            subprocess.run, ["runuser", "-u", user, "--", *command], capture_output=True, text=True, cwd="/"
        )
        if done.returncode:
            raise Refused(done.stderr)

    # -- what the reader types ----------------------------------------------------------------------------------------

    async def run(self, block: str, **more: str) -> str:
        """One block in a shell of root that stops at the first complaint: what it said on standard output."""
        environment = {
            "PATH": f"{self.home}/bin:{self.home}/usr/local/bin:{account.PATH}",
            "LANG": "C.UTF-8",
            "HOME": str(self.home),
            "PGHOST": str(self.home / "run"),
            "PGPORT": str(self.ports["5432"]),
            "SSL_CERT_FILE": str(self.home / "etc/letsencrypt/ca.crt"),
            **more,
        }
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-eu", "-o", "pipefail", "-c", self.here(block)],
            capture_output=True,
            text=True,
            env=environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            timeout=240,
        )
        if done.returncode:
            raise Refused(
                f"{self.here(block)}\nended with {done.returncode}: {done.stderr[-3000:]}\n{done.stdout[-3000:]}"
            )
        return done.stdout

    # -- the stand-in for systemd -------------------------------------------------------------------------------------

    async def _asked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        words = (await reader.readline()).decode().strip().split("\0")
        try:
            await self.systemctl(*words)
        except (Refused, OSError, TimeoutError) as error:
            writer.write(f"{type(error).__name__}: {error}"[:4000].encode())
        writer.close()

    async def systemctl(self, *words: str) -> None:
        """enable --now, restart and reload of a unit; daemon-reload, for units are read whenever they are started."""
        act, *rest = [word for word in words if word != "--now"]
        for name in rest:
            if name == "nginx":
                await self._nginx()
            elif act in ("enable", "restart"):
                await self._start(name)
            else:
                raise Refused(f"this stand-in knows no {' '.join(words)}")

    async def _start(self, name: str) -> None:
        if name in self.running:
            await asyncio.to_thread(account.end, self.running.pop(name), signal.SIGTERM)
        unit = self._unit(name)
        environment = {"PATH": account.PATH, "LANG": "C.UTF-8"}
        for line in unit["Environment"]:
            environment |= dict(word.split("=", 1) for word in shlex.split(line))
        for file in unit["EnvironmentFile"]:
            environment |= dict(
                line.split("=", 1) for line in Path(file).read_text().splitlines() if line and not line.startswith("#")
            )
        if "TELLTALE_HEALTH_PORT" in environment:
            environment["TELLTALE_HEALTH_PORT"] = str(free_port())
        environment |= {key: str(self.ports[value]) for key, value in environment.items() if value in self.ports}
        user = "nobody" if unit["DynamicUser"] == ["yes"] else (unit["User"] or ["root"])[-1]
        credentials = self._credentials(name, unit["LoadCredential"], user)
        words = shlex.split(unit["ExecStart"][-1].replace("%d", str(credentials)))
        words = [re.sub(r"\$\{(\w+)\}", lambda found: environment[found[1]], word) for word in words]
        await self._begin(name, [*_lent(user), *words], environment, unit["Type"])

    async def _begin(self, name: str, command: list[str], environment: dict[str, str], kind: list[str]) -> None:
        address = self.home / "run" / f"{name}.notify"
        address.unlink(missing_ok=True)
        told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._told.append(told)  # open for as long as the service tells
        told.bind(str(address))
        address.chmod(0o777)
        told.setblocking(False)
        process = self._spawn(name, command, {**environment, "NOTIFY_SOCKET": str(address)})
        async with asyncio.timeout(READY_S):
            while (status := process.poll()) is None:
                with contextlib.suppress(BlockingIOError):
                    if b"READY=1" in told.recv(4096):
                        return
                await asyncio.sleep(0.05)
        if status != 0 or kind != ["oneshot"]:
            raise Refused(f"{name} ended with {status}: {self.log_of(name)}")

    def log_of(self, name: str) -> str:
        """The end of its log."""
        return (self.home / "logs" / name).read_text(errors="replace")[-2000:]

    def _spawn(self, name: str, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        given = {"PATH": account.PATH, "LANG": "C.UTF-8", **environment}
        with (self.home / "logs" / name).open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=given, start_new_session=True
            )
        return self.running[name]

    def _unit(self, name: str) -> defaultdict[str, list[str]]:
        """Its [Service], with what drop-ins change; `%i` and folders are put in."""
        template = re.sub(r"@.*", "@", name)
        places = [self.home / "etc/systemd/system", Path("/usr/lib/systemd/system"), Path("/lib/systemd/system")]
        file = next(
            (place / f"{template}.service" for place in places if (place / f"{template}.service").exists()), None
        )
        if file is None:
            raise Refused(f"Unit {name}.service not found")
        found: defaultdict[str, list[str]] = defaultdict(list)
        for path in (file, *sorted((places[0] / f"{template}.service.d").glob("*.conf"))):
            for line in _lines(path.read_text()):
                key, _, value = self.here(line).partition("=")
                found[key] = [*found[key], value.strip().replace("%i", name.partition("@")[2])] if value.strip() else []
        for state in found["StateDirectory"]:
            (self.home / "var/lib" / state).mkdir(mode=0o700, exist_ok=True)
            shutil.chown(self.home / "var/lib" / state, found["User"][-1])
        return found

    def _credentials(self, name: str, wanted: Iterable[str], user: str) -> Path:
        folder = self.home / "run" / f"{name}.credentials"
        folder.mkdir(exist_ok=True)
        for one in wanted:
            what, _, source = one.partition(":")
            shutil.copy(source, folder / what)
            (folder / what).chmod(0o400)
            shutil.chown(folder / what, user)
        return folder

    async def _nginx(self) -> None:
        """Its own configuration is only what Debian's says: all sites that are enabled."""
        sites = "\n".join(
            self.here(site.read_text()) for site in sorted((self.home / "etc/nginx/sites-enabled").iterdir())
        )
        config = self.home / "nginx.conf"
        config.write_text(_NGINX.format(home=self.home, sites=sites))
        process = self._spawn(
            "nginx", [account.program("nginx") or "nginx", "-c", str(config), "-e", str(self.home / "nginx.log")], {}
        )
        async with asyncio.timeout(READY_S):
            while True:
                if process.poll() is not None:
                    raise Refused(f"nginx: {self.log_of('nginx')}")
                with socket.socket() as door:
                    if door.connect_ex(("127.0.0.1", self.ports["443"])) == 0:
                        return
                await asyncio.sleep(0.05)
