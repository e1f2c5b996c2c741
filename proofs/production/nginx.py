"""nginx as distributions ship it: TLS outside, our desks behind it in turn."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path

from proofs.production import account
from proofs.production.authority import Authority
from schemas.errors import Unavailable
from telltale.embedded.process import free_port

_CONFIG = """
daemon off;
worker_processes 1;
pid {home}/nginx.pid;
error_log {home}/error.log warn;
events {{ worker_connections 512; }}
http {{
  log_format upstreams '$status $upstream_addr $request_method $uri $upstream_status';
  access_log {home}/access.log upstreams;
  client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/f;
  uwsgi_temp_path {home}/u; scgi_temp_path {home}/s;
  upstream desk {{ {servers} keepalive 16; }}
  server {{
    listen 127.0.0.1:{port} ssl;
    server_name localhost;
    ssl_certificate {tls}/server.crt;
    ssl_certificate_key {tls}/server.key;
    client_max_body_size 20m;
    location / {{
      proxy_pass http://desk;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_buffering off;
      proxy_connect_timeout 2s;
      proxy_read_timeout 60s;
      proxy_next_upstream error timeout;
      proxy_next_upstream_tries 2;
    }}
  }}
}}
"""


class Nginx:
    """One address for several desks."""

    def __init__(self, home: Path, authority: Authority) -> None:
        self.home, self._authority = home, authority
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    async def start(self, desks: Sequence[int]) -> None:
        """Before these ports of the loopback, until it answers by HTTP: another server of the house may shake hands
        with the same certificate.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        servers = " ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in desks)
        (self.home / "nginx.conf").write_text(
            _CONFIG.format(home=self.home, tls=self._authority.home, port=self.port, servers=servers)
        )
        account.give(self.home)
        command = [
            account.program("nginx") or "nginx",
            "-p",
            str(self.home),
            "-c",
            str(self.home / "nginx.conf"),
            "-e",
            str(self.home / "error.log"),
        ]
        self._process = account.spawn(command, log=self.home / "nginx.log")
        context = ssl.create_default_context(cafile=str(self._authority.trusted))
        for _ in range(3_000):
            if self._process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("localhost", self.port, ssl=context)
                writer.write(b"HEAD / HTTP/1.0\r\n\r\n")
                answer = await asyncio.wait_for(reader.read(5), 10.0)
                writer.close()
                if answer == b"HTTP/":
                    return
            await asyncio.sleep(0.02)
        raise Unavailable("nginx", f"it did not start: {(self.home / 'nginx.log').read_text(errors='replace')[-600:]}")

    def reload(self) -> None:
        """New workers with the certificates as they are now; the old ones finish what they are at."""
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    async def stop(self) -> None:
        process, self._process = self._process, None
        await asyncio.to_thread(account.end, process, signal.SIGTERM)

    def served(self) -> dict[str, int]:
        """How many answers each desk gave: address -> count."""
        found: dict[str, int] = {}
        for line in (self.home / "access.log").read_text().splitlines():
            if tried := re.match(r"\d+ (?:\S+, )*(\S+:\d+) ", line):  # of several that were tried the last one answered
                found[tried[1]] = found.get(tried[1], 0) + 1
        return found
