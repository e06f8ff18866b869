"""Owns the shadow on its way through the steps: its settings, and that it never breaks a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec

from algotrader.adapters import parameters
from algotrader.adapters.apart import why
from algotrader.contracts import Shadow
from algotrader.errors import ConfigurationError
from algotrader.model import Settings
from algotrader.strategy import Strategy, load_strategy


def as_shadow(settings: Settings) -> Settings:
    """Give the desk's settings with the shadow's strategy in the live one's place.

    Raises
    ------
    ConfigurationError
        ``PARAMETER_INVALID`` when its parameters are none: they are read no earlier, so that they
        cannot end the live run.
    """
    try:
        chosen = parameters.scalars(settings.shadow_strategy_parameters)
    except parameters.Misfit as misfit:
        raise ConfigurationError(
            "PARAMETER_INVALID",
            f"Deploy again with ShadowStrategyParameters set to {misfit.allowed}.",
            parameter="ShadowStrategyParameters",
        ) from None
    return replace(settings, strategy=settings.shadow_strategy, strategy_parameters=chosen)


def load_shadow(settings: Settings) -> Strategy:
    """Load the shadow's strategy, in a process that may break.

    Raises
    ------
    ConfigurationError, StrategyError
        As `load_strategy` does, and ``PARAMETER_INVALID``.
    """
    shadow = as_shadow(settings)
    return load_strategy(shadow.strategy, shadow.strategy_parameters)


def bars_needed(settings: Settings) -> int:
    """Count the bars that the shadow needs of each symbol, in a process that may break."""
    return load_shadow(settings).bars_needed()


def taken_on(shadow: Shadow, step: Callable[[Shadow], Shadow]) -> Shadow:
    """Take the shadow a step further, or say why it goes no further; it never raises."""
    if shadow.error:
        return shadow
    try:
        return step(shadow)
    except Exception as error:  # noqa: BLE001 - a shadow ends no run
        return msgspec.structs.replace(shadow, error=why(error))
