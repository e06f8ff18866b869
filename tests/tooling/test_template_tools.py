"""The tools of `make check-template` come from locks with hashes and without addresses."""

from __future__ import annotations

import json
import re

from tests.support.checkout import CHECKOUT

HOME = CHECKOUT / ".ci" / "template"


def test_every_package_of_the_validator_is_pinned_and_hashed():
    lock = json.loads((HOME / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    asked = json.loads((HOME / "package.json").read_text())["dependencies"]
    for name, version in asked.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    for name, each in packages.items():
        assert each["integrity"].startswith("sha512-"), name
        assert "resolved" not in each, name


def test_expressions_are_replayed_in_the_version_of_jsonata_that_aws_documents():
    assert json.loads((HOME / "package.json").read_text())["dependencies"]["jsonata"] == "2.0.6"


def test_every_package_of_the_scanner_is_pinned_and_hashed():
    text = re.sub(r"^ *#.*\n", "", (HOME / "requirements.txt").read_text(), flags=re.MULTILINE)
    for entry in text.replace("\\\n", " ").splitlines():
        assert re.match(r"[a-z0-9-]+==[^ ]+ .*--hash=sha256:[0-9a-f]{64}", entry), entry


def test_the_locks_name_no_address():
    for name in ("package-lock.json", "requirements.txt"):
        assert "://" not in (HOME / name).read_text(), name
