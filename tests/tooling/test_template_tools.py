"""The npm tools of `make check-template` come from a lock with hashes and without addresses."""

from __future__ import annotations

import json

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


def test_the_lock_names_no_address():
    assert "://" not in (HOME / "package-lock.json").read_text()
