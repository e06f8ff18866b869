from __future__ import annotations

import pytest

from tests.bench.section import in_fresh_process, medians_in_turn


def test_measures_take_turns_and_each_figure_is_a_median() -> None:
    order: list[str] = []

    def measure(name: str, figures: list[float]) -> dict[str, float]:
        order.append(name)
        return {"seconds": figures.pop(0)}

    one, other = [1.0, 9.0, 2.0], [30.0, 10.0, 20.0]
    found = medians_in_turn(3, lambda: measure("one", one), lambda: measure("other", other))

    assert found == [{"seconds": 2.0}, {"seconds": 20.0}]
    assert order == ["one", "other"] * 3


def test_a_measurement_that_fails_shows_what_its_process_printed() -> None:
    with pytest.raises(RuntimeError, match=r"No module named tests\.bench\.no_such"):
        in_fresh_process("tests.bench.no_such_section")
