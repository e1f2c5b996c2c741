"""The public address as owners reach it: https, our page behind it, the proxy passing on what we need, and the time it
says.
"""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import aiohttp

from telltale.checking.finding import Wrong
from telltale.settings import Settings

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_OURS = "Telltale"  #: stands on the sign-in page
_NGINX = "deploy/nginx.conf is an example"


def _base(settings: Settings) -> str:
    if not settings.public_url:
        raise Wrong(
            "TELLTALE_PUBLIC_URL is not set",
            "set it to the https:// address under which owners reach the desk: the links in their texts begin with it",
        )
    return settings.public_url.rstrip("/")


def _browser() -> aiohttp.ClientSession:
    """It believes in the system's authorities, or in those of SSL_CERT_FILE."""
    return aiohttp.ClientSession(timeout=_TIMEOUT, connector=aiohttp.TCPConnector(ssl=ssl.create_default_context()))


async def reachable(settings: Settings) -> str:
    """Owners open links from their phones: by https, with a certificate that phones believe, to a name that the world
    knows.
    """
    base = _base(settings)
    where = urlsplit(base)
    if where.scheme != "https":
        raise Wrong(
            f"{base} is not https",
            f"put a proxy with TLS in front of the desk ({_NGINX}) and set TELLTALE_PUBLIC_URL to its address",
        )
    async with _browser() as http:
        try:
            async with http.get(f"{base}/sign-in") as page:
                body, status = await page.text(), page.status
            async with http.get(f"{base}/health/ready") as health:
                ready = health.status
        except aiohttp.ClientConnectorCertificateError as error:
            raise Wrong(
                f"its certificate is not believed: {error.certificate_error}",
                "use a certificate of an authority that phones know",
            ) from None
        except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
            raise Wrong(
                f"{base} does not answer: {error}", "is the proxy running, does the name lead here, is the port open?"
            ) from None
    if status != 200 or _OURS not in body:
        raise Wrong(
            f"{base}/sign-in answers {status} and not with our page",
            f"let the proxy pass everything to the desk ({_NGINX})",
        )
    if ready != 200:
        raise Wrong(
            f"the desk behind it is not ready ({ready})",
            "see what its log says; the health port says more (docs/howto/monitor.md)",
        )
    if _at_home(where.hostname or ""):
        return f"{base} answers with our page; not proved: that phones outside reach {where.hostname}"
    return f"{base} answers with our page and is ready"


async def passed_on(settings: Settings) -> str:
    """Host, or every form is taken for one from another site; X-Forwarded-Proto, or cookies are not kept for https
    alone.
    """
    base = _base(settings)
    async with _browser() as http:
        try:
            async with http.post(f"{base}/api/v1/session", json={}, headers={"Origin": base}) as answer:
                refused = answer.status == 403
            async with http.get(f"{base}/sign-in") as page:
                cookies = page.headers.getall("Set-Cookie", [])
        except (aiohttp.ClientError, OSError) as error:
            raise Wrong(f"{base} does not answer: {type(error).__name__}", "see the line above") from None
    if refused:
        raise Wrong(
            "the proxy does not pass Host, so every form looks as if it came from another site",
            f"proxy_set_header Host $http_host; ({_NGINX})",
        )
    if base.startswith("https://") and any("secure" not in cookie.lower() for cookie in cookies):
        raise Wrong(
            "the desk does not know that it is reached by https",
            f"let the proxy say X-Forwarded-Proto $scheme ({_NGINX}) and name its network in TELLTALE_TRUSTED_PROXIES",
        )
    return "Host and X-Forwarded-Proto arrive"


async def time_told(settings: Settings) -> str:
    """The proxy's clock is a third one."""
    base = _base(settings)
    async with _browser() as http:
        try:
            async with http.get(f"{base}/health/live") as answer:
                date = answer.headers.get("Date", "")
        except (aiohttp.ClientError, OSError) as error:
            raise Wrong(
                f"{base} does not answer: {type(error).__name__}", "see the line on the public address"
            ) from None
    if not date:
        return "the public address tells no time"
    off = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
    if off > 3:
        raise Wrong(
            f"the public address and this machine are {off:.0f} s apart",
            "let both follow a time server (systemd-timesyncd, chrony)",
        )
    return "the public address tells the same time"


def _at_home(host: str) -> bool:
    """An address or name of this machine or of a private network."""
    if host == "localhost" or host.endswith((".local", ".internal", ".lan", ".home.arpa")):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host
