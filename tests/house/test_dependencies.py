"""What others made and we run: pinned, hashed, licensed, installed as locked, and on the page."""

from __future__ import annotations

import importlib.metadata
import json
import re
import tomllib

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from telltale.bill_of_materials import PAGE, page, parts, pinned, sbom
from telltale.data import ROOT

RUNTIME = list(pinned((ROOT / "requirements.lock").read_text()))
DEV = list(pinned((ROOT / "requirements-dev.lock").read_text()))
HERE = [one for one in RUNTIME if not one[2] or Marker(one[2]).evaluate()]
#: Licences under which we take what runs in a house. LGPL: a library that is imported and not changed (python-can).
TAKEN = {
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "0BSD",
    "ISC",
    "PSF-2.0",
    "EPL-2.0",
    "LGPL-3.0-only",
}
WITH_CONDITIONS = {"EPL-2.0": {"paho-mqtt"}, "LGPL-3.0-only": {"python-can"}}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_has_nothing_but_pinned_and_hashed_packages(lock: str) -> None:
    text = (ROOT / lock).read_text()
    found = list(pinned(text))
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(found) == len(lines) > 80, "a line that is no pin"
    assert all(hashes for *_, hashes in found)
    assert not re.search(r"https?://|git\+|file:|-e ", text)


def test_what_is_tested_is_what_runs() -> None:
    dev = {(name, version, where) for name, version, where, _ in DEV}
    assert {(name, version, where) for name, version, where, _ in RUNTIME} <= dev


def test_what_we_ask_for_is_in_the_lock_as_we_ask_for_it() -> None:
    locked = {canonicalize_name(name): version for name, version, *_ in HERE}
    for one_text in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]:
        wanted = Requirement(one_text)
        assert wanted.specifier.contains(locked[canonicalize_name(wanted.name)], prereleases=True), one_text


def test_what_is_installed_is_what_the_lock_says() -> None:
    assert {name: importlib.metadata.version(name) for name, *_ in HERE} == {
        name: version for name, version, *_ in HERE
    }


def test_what_browsers_get_is_hashed_and_names_no_place() -> None:
    for path, result in json.loads((ROOT / "package-lock.json").read_text())["packages"].items():
        assert not path or (result["integrity"].startswith("sha512-") and "resolved" not in result), path


def test_every_licence_is_one_that_we_take() -> None:
    for one in parts():
        names = set(re.split(r" (?:AND|OR) ", one.licence.strip("()"))) if one.licence else set()
        assert names <= TAKEN, (one.name, one.licence)
        assert names or one.where, f"{one.name} names no licence"
        for name, who in WITH_CONDITIONS.items():
            assert name not in names or one.name in who, (one.name, name)


def test_the_page_of_dependencies_is_that_of_the_locks() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "read what changed, then run: python -m telltale.bill_of_materials"
    )


def test_the_bill_of_materials_is_whole_and_always_the_same() -> None:
    bill = sbom()
    assert (
        bill == sbom()
        and (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
        and re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["serialNumber"])
    )
    refs = [one["bom-ref"] for one in bill["components"]]
    assert len(refs) == len(set(refs)) == len(RUNTIME) + 3 and all(
        re.fullmatch(r"pkg:(pypi|npm)/[^ ]+@[^ ]+", ref) for ref in refs
    )
    [ours] = bill["dependencies"]
    assert set(ours["dependsOn"]) <= set(refs) and len(ours["dependsOn"]) > 40
