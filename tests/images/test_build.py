"""What a user runs first: sam validate and sam build on the template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.sandbox.aws.template import read_template
from tests.images.commands import base_image, inspect, sam

pytestmark = pytest.mark.images


def placeless(template: dict[str, Any]) -> dict[str, Any]:
    """Return every resource without its code's address."""
    return {
        name: {
            **each,
            "Metadata": None,
            "Properties": {
                key: value
                for key, value in each.get("Properties", {}).items()
                if key not in {"ImageUri", "DefinitionUri"}
            },
        }
        for name, each in template["Resources"].items()
    }


def test_sam_finds_the_template_valid() -> None:
    done = sam("validate", "--lint")
    assert done.returncode == 0, done.stderr
    assert "is a valid SAM Template" in done.stdout


def test_the_build_changes_nothing_in_the_template_but_where_things_are(built: Path) -> None:
    template, after = read_template(), read_template(built)
    assert {**after, "Resources": placeless(after)} == {
        **template,
        "Resources": placeless(template),
    }


def test_every_step_has_an_image_of_its_own(images: dict[str, str]) -> None:
    assert len({inspect("image", image)["Id"] for image in images.values()}) == len(images)


def test_every_image_is_built_on_the_base_that_the_argument_names(images: dict[str, str]) -> None:
    base = inspect("image", base_image())
    for image in images.values():
        found = inspect("image", image)
        layers = base["RootFS"]["Layers"]
        assert found["RootFS"]["Layers"][: len(layers)] == layers
        assert found["Config"]["Env"] == [*base["Config"]["Env"], "PYTHONHASHSEED=0"]
        assert found["Config"]["Entrypoint"] == base["Config"]["Entrypoint"]
