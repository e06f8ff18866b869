"""Owns the check that the deployed limits are loose enough for a strategy."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from algotrader.errors import ConfigurationError
from algotrader.model import Settings
from algotrader.model.settings import BOUNDS, parameter_of
from algotrader.model.units import tidy
from algotrader.suggestions import did_you_mean

#: Limits for which a strategy may require a lowest or a highest value.
_AT_LEAST = (
    *("max_position_weight", "max_order_notional", "max_orders_per_run", "max_positions"),
    *("max_gross_exposure", "max_turnover", "max_price_deviation", "max_daily_loss"),
    *("max_drawdown", "capital"),
)
_AT_MOST = ("min_order_notional", "min_minutes_to_close", "cash_reserve", "no_trade_band")
_FIELDS = {parameter_of(field): field for field in (*_AT_LEAST, *_AT_MOST)}


def find_flaw(requires: object) -> str:
    """Describe what is wrong with a strategy's ``requires``, or return an empty string."""
    if not isinstance(requires, Mapping):
        return 'requires must be a dict of limits, as in requires = {"MaxPositionWeight": "1"}.'
    for parameter, value in requires.items():
        if parameter not in _FIELDS:
            hint = did_you_mean(str(parameter), _FIELDS)
            return (
                f"requires names {parameter!r}, which is not a limit{hint}; known: "
                f"{', '.join(_FIELDS)}."
            )
        number = _number(value)
        bounds = BOUNDS[_FIELDS[parameter]]
        if number is None or not bounds.allow(number):
            least = "above" if bounds.above_lowest else "from"
            return (
                f"requires has {parameter} {value!r}; write a number {least} {bounds.lowest} to "
                f"{bounds.highest}."
            )
    return ""


def check_limits(requires: Mapping[str, object], settings: Settings) -> None:
    """Refuse settings under which the strategy says that it cannot work.

    Parameters
    ----------
    requires : mapping of str to number
        As `find_flaw` accepts it: the lowest value that each limit may have, or the highest if a
        lower value is looser.

    Raises
    ------
    ConfigurationError
        ``LIMITS_TOO_TIGHT``, with every limit that is too tight.
    """
    tight = [
        (parameter, tidy(Decimal(deployed)), tidy(needed), field in _AT_LEAST)
        for parameter, value in requires.items()
        if (deployed := getattr(settings, field := _FIELDS[parameter])) is not None
        and (needed := _number(value)) is not None
        and (deployed < needed if field in _AT_LEAST else deployed > needed)
    ]
    if not tight:
        return
    wanted = ", ".join(
        f"{parameter} at {'least' if is_least else 'most'} {needed:f}"
        for parameter, _, needed, is_least in tight
    )
    raise ConfigurationError(
        "LIMITS_TOO_TIGHT",
        f"The strategy cannot work under the deployed limits. Deploy {wanted}, or choose another "
        "Strategy.",
        parameter=", ".join(each[0] for each in tight),
        deployed=", ".join(f"{each[1]:f}" for each in tight),
        needed=", ".join(f"{each[2]:f}" for each in tight),
        strategy=settings.strategy,
    )


def _number(value: object) -> Decimal | None:
    """Parse a number in the form of a template's parameter, or return None."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
