"""Every sample event does what its name says in its image, under sam local invoke."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.sandbox.runner.desk import LocalDesk
from tests.images.commands import local_invoke
from tests.support.event_expectations import EVENTS, EXPECTED

pytestmark = pytest.mark.images

# These steps get all their data in the event, so they need no services.
ALONE = ("compute_indicators", "decide_orders")


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.usefixtures("built")
def test_the_event_does_in_its_image_what_its_name_says(
    name: str, desk: LocalDesk, variables: Path
) -> None:
    step = name.partition("/")[0]
    result = local_invoke(step, EVENTS / f"{name}.json", None if step in ALONE else variables)
    EXPECTED[name](result, desk)
