"""What this house is made of, out of the locks: a CycloneDX bill of materials, and docs/reference/dependencies.md.

    python -m telltale.bill_of_materials        writes the page

Nothing is asked of any network: versions and hashes are the locks', licences those that the installed packages name.
"""

from __future__ import annotations

import base64
import importlib.metadata
import json
import re
import tomllib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from telltale.data import ROOT

PAGE = ROOT / "docs" / "reference" / "dependencies.md"
_SPACE = uuid.UUID("7c8a3a3e-6d3c-4a49-9d0e-0f2b6b2f5a11")  #: the same locks are the same bill
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(?: ; ([^\\]+?))? *\\?$")
#: What authors write, as SPDX calls it. An old "BSD License" may mean two clauses or three: taken for the three, which
#: ask more.
_SPDX = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
    "OSI Approved; MIT License": "MIT",
    "BSD License; Apache Software License": "BSD-3-Clause OR Apache-2.0",
    "BSD-0-Clause": "0BSD",
}


@dataclass(frozen=True)
class Part:
    """One package as a lock names it. `hashes` are (algorithm as CycloneDX calls it, hex)."""

    kind: str  #: pypi or npm
    name: str
    version: str
    where: str  #: the marker of the environments that need it; empty: all
    hashes: tuple[tuple[str, str], ...]
    licence: str  #: empty where it is not installed
    direct: bool  #: we ask for it ourselves

    @property
    def purl(self) -> str:
        """Its name in the world."""
        return f"pkg:{self.kind}/{self.name.replace('@', '%40')}@{self.version}"


def pinned(lock: str) -> Iterator[tuple[str, str, str, list[str]]]:
    """Name, version, marker and sha256 hashes of each entry of a lock of Python packages."""
    found: tuple[str, str, str, list[str]] | None = None
    for line in lock.splitlines():
        if pin := _PIN.match(line):
            if found:
                yield found
            found = (pin[1].lower(), pin[2], pin[3] or "", [])
        elif found and (match := re.match(r" +--hash=sha256:([0-9a-f]{64})", line)):
            found[3].append(match[1])
    if found:
        yield found


def parts() -> list[Part]:
    """Everything that runs in a house: the runtime's lock, and what browsers get."""
    wanted = {
        _normal(re.split(r"[<>=~!\[; ]", one)[0])
        for one in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    }
    found = [
        Part(
            "pypi",
            name,
            version=version,
            where=where,
            hashes=tuple(("SHA-256", one) for one in hashes),
            licence=licence(name),
            direct=_normal(name) in wanted,
        )
        for name, version, where, hashes in pinned((ROOT / "requirements.lock").read_text())
    ]
    for path, package in json.loads((ROOT / "package-lock.json").read_text())["packages"].items():
        if path and not package.get("dev"):
            digest = base64.b64decode(package["integrity"].removeprefix("sha512-")).hex()
            found.append(
                Part(
                    "npm",
                    path.removeprefix("node_modules/"),
                    version=package["version"],
                    where="",
                    hashes=(("SHA-512", digest),),
                    licence=_spdx(package["license"]),
                    direct=True,
                )
            )
    return found


def licence(name: str) -> str:
    """As the installed package says; empty when it is not installed."""
    try:
        metadata = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
    classified = "; ".join(
        one.rpartition(" :: ")[2] for one in metadata.get_all("Classifier", []) if one.startswith("License")
    )
    told, loose = (next(iter(metadata.get_all(field, [])), "") for field in ("License-Expression", "License"))
    return _spdx(told or classified or loose.partition("\n")[0])


def sbom() -> dict[str, Any]:
    """CycloneDX 1.6, the same for the same locks."""
    found = parts()
    own = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(_SPACE, ' '.join(one.purl for one in found))}",
        "metadata": {
            "component": {"type": "application", "bom-ref": "telltale", "name": own["name"], "version": own["version"]}
        },
        "components": [
            {
                "type": "library",
                "bom-ref": one.purl,
                "name": one.name,
                "version": one.version,
                "purl": one.purl,
                "scope": "optional" if one.where else "required",
                **({"licenses": [{"expression": one.licence}]} if one.licence else {}),
                "properties": [
                    {"name": "telltale:direct", "value": str(one.direct).lower()},
                    *([{"name": "telltale:marker", "value": one.where}] if one.where else []),
                ],
                # a package of many files has a hash for each: CycloneDX takes one of a kind, the lock has all
                "hashes": [{"alg": one.hashes[0][0], "content": one.hashes[0][1]}] if len(one.hashes) == 1 else [],
            }
            for one in found
        ],
        "dependencies": [{"ref": "telltale", "dependsOn": [one.purl for one in found if one.direct]}],
    }


def page() -> str:
    """The whole page."""
    found = parts()
    lines = "".join(
        f"| {one.name} | {one.version} | {one.licence or '–'} | {'we' if one.direct else 'others'} | {len(one.hashes)} "
        f"| {f'`{one.where}`' if one.where else ''} |\n"
        for one in found
    )
    return (
        f"{_HEAD}{len(found)} packages.\n\n| package | version | licence | asked for by | hashes | only where "
        f"|\n|---|---|---|---|---|---|\n{lines}"
    )


_HEAD = """# What this house is made of

Every package that runs in a house, from `requirements.lock` and `package-lock.json`: one version each, installed by its
hashes alone
(`pip install --require-hashes`, npm's `integrity`). So a change of a dependency is a change of this page, to be read in
the same commit.
It is made by `python -m telltale.bill_of_materials`; `telltale sbom` prints the same as CycloneDX 1.6 for whoever keeps
such lists.

`tests/house/test_dependencies.py` checks, without a network: everything is pinned and hashed, the two locks agree, what
is installed is what the lock
says, each licence is one that we take, and this page and the bill are those of the locks. Whether something is known
about a version is known
to others only: where there is a network, feed `telltale sbom` to a scanner (Trivy, Grype, Dependency-Track), or run
`pip-audit -r requirements.lock --require-hashes --disable-pip`. `./test` does not: it must say the same tomorrow.

"""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _spdx(name: str) -> str:
    return _SPDX.get(name, name)


def write() -> None:
    """The page, into its place."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write()
