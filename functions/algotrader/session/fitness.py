"""Owns the rule that symbols fail alone, and the cases in which the whole run fails."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from math import isfinite
from types import MappingProxyType

from algotrader.errors import (
    ConfigurationError,
    DeskError,
    InsufficientHistoryError,
    StaleBarsError,
    StrategyError,
)
from algotrader.model import Asset, Bars, CorporateAction, Features, Session, Unfit
from algotrader.model.units import Fraction
from algotrader.session.bar_checks import (
    BARS_ABSENT,
    BARS_MISSING,
    BARS_NOT_NUMBERS,
    BARS_STALE,
    BARS_TOO_FEW,
    BarRequirements,
    gaps,
    listed_days,
)

SYMBOL_UNKNOWN, SYMBOL_NOT_TRADABLE = "SYMBOL_UNKNOWN", "SYMBOL_NOT_TRADABLE"
SYMBOL_RENAMED = "SYMBOL_RENAMED"
INDICATOR_UNDEFINED, FEATURES_MISSING = "INDICATOR_UNDEFINED", "FEATURES_MISSING"
STRATEGY_FEATURES_INVALID = "STRATEGY_FEATURES_INVALID"

#: Codes for which a rename or a merger may be the cause.
CODES_OF_A_SYMBOL_THAT_ENDED = frozenset(
    {SYMBOL_UNKNOWN, SYMBOL_NOT_TRADABLE, BARS_ABSENT, BARS_STALE}
)
#: One late symbol is a halt; from two on it may be the feed.
_FEWEST_LATE = 2
#: A gap among the newest sessions is a fault of the feed that its vendor may still correct.
_RECENT_SESSIONS = 5
_NAMED_AT_MOST = 10

#: What to do about each code, in the order of the checks; a failing run reports the first one.
_ADVICE: Mapping[str, str] = MappingProxyType(
    {
        SYMBOL_UNKNOWN: "The broker does not list a symbol. Fix the template's Symbols.",
        SYMBOL_NOT_TRADABLE: "The broker does not let you trade a symbol. Fix the template's "
        "Symbols.",
        SYMBOL_RENAMED: "A symbol has a new name. Change the template's Symbols.",
        BARS_ABSENT: "The feed has no daily bars for these symbols. Remove them from the "
        "template's Symbols, or choose another BarsFeed.",
        BARS_STALE: "The feed lags, or the symbol no longer trades. Start the run again later, "
        "remove the symbol from Symbols, or allow older bars with MaxBarAgeSessions.",
        BARS_NOT_NUMBERS: "The feed sent prices that are not numbers above 0. Start the run again "
        "later, or choose another BarsFeed.",
        BARS_MISSING: "The feed has gaps. Start the run again later, remove the symbol from "
        "Symbols, or tolerate gaps with MaxMissingBars.",
        BARS_TOO_FEW: "The strategy needs more bars. Remove the symbol from Symbols until it is "
        "older, or use shorter windows in StrategyParameters.",
        INDICATOR_UNDEFINED: "An indicator's formula has no value for these bars. Remove the "
        "symbol from the template's Symbols, or declare another indicator.",
        STRATEGY_FEATURES_INVALID: "The strategy's features() or features_all() returned NaN, "
        "infinity or nothing for these symbols. Drop missing values there, or raise look_back.",
        FEATURES_MISSING: "These symbols have no usable indicators. Check their bars, or remove "
        "them from the template's Symbols.",
    }
)
#: The errors of codes whose error is not `InsufficientHistoryError`.
_ERRORS: Mapping[str, type[DeskError]] = MappingProxyType(
    {
        SYMBOL_UNKNOWN: ConfigurationError,
        SYMBOL_NOT_TRADABLE: ConfigurationError,
        SYMBOL_RENAMED: ConfigurationError,
        BARS_STALE: StaleBarsError,
        STRATEGY_FEATURES_INVALID: StrategyError,
    }
)


def check_assets(
    symbols: Iterable[str], assets: Mapping[str, Asset], *, only_seen: Collection[str] = ()
) -> dict[str, Unfit]:
    """Return the symbols that the broker does not know, or does not let the account trade.

    Parameters
    ----------
    only_seen : collection of str
        Symbols that the strategy only looks at.
    """
    unfit = {}
    for symbol in sorted(set(symbols)):
        asset = assets.get(symbol)
        if asset is None:
            unfit[symbol] = Unfit(SYMBOL_UNKNOWN, "the broker does not list it")
        elif not asset.tradable and symbol not in only_seen:
            unfit[symbol] = Unfit(SYMBOL_NOT_TRADABLE, "the broker does not let you trade it")
    return unfit


def check_names(
    symbols: Collection[str],
    actions: Iterable[CorporateAction],
    bars: Mapping[str, Bars],
    *,
    only_seen: Collection[str] = (),
) -> dict[str, Unfit]:
    """Return the symbols that a rename or a merger ended.

    Parameters
    ----------
    actions : iterable of CorporateAction
        Up to the traded session, ascending; the latest one wins.
    bars : Mapping of str to Bars
        A bar after the action shows that another company now uses the symbol.
    only_seen : collection of str
        Symbols in the strategy's ``reference`` that are not in the template's ``Symbols``.
    """
    unfit = {}
    for each in actions:
        symbol, new = each.symbol, each.becomes
        if new is None or symbol not in symbols or _trades_after(each, bars.get(symbol)):
            continue
        where = "the strategy's reference" if symbol in only_seen else "Symbols"
        if each.is_name_change:
            detail = f"{symbol} is {new} since {each.ex_date.isoformat()}: change {where}"
            unfit[symbol] = Unfit(SYMBOL_RENAMED, detail)
        else:
            cause = each.description + (f" with {new}" if new else "")
            unfit[symbol] = Unfit(SYMBOL_NOT_TRADABLE, f"{cause}: remove it from {where}")
    return dict(sorted(unfit.items()))


def check_features(symbols: Iterable[str], features: Features) -> dict[str, Unfit]:
    """Return the symbols without finite features; a strategy cannot judge them."""
    unfit = {}
    for symbol in sorted(set(symbols)):
        values = features.values.get(symbol)
        if symbol in features.unfit:
            unfit[symbol] = features.unfit[symbol]
        elif values is None or not all(
            isfinite(each.last) and isfinite(each.previous) for each in values.values()
        ):
            unfit[symbol] = Unfit(FEATURES_MISSING, "it has no usable indicators")
    return unfit


def check_feed(
    fit: Mapping[str, Bars],
    unfit: Mapping[str, Unfit],
    bars: Mapping[str, Bars],
    completed: Sequence[Session],
    demand: BarRequirements,
    *,
    held: Collection[str],
    max_share: Fraction,
) -> None:
    """Fail the run if so many symbols lack recent bars that the feed must be late.

    Parameters
    ----------
    fit, unfit : Mapping of str to Bars, Mapping of str to Unfit
        As `check_bars` found them, without renamed symbols.
    bars : Mapping of str to Bars
        As the broker returned them.
    held : collection of str
        Symbols that the desk holds, which therefore had bars once.
    max_share : Fraction
        ``MaxStaleShare``, of the symbols that traded the session before.

    Raises
    ------
    StaleBarsError
        ``BARS_STALE``. Also raised if a symbol is late and none is fit.
    """
    late = {
        name: each
        for name, each in unfit.items()
        if _is_late(each.code, bars.get(name), completed, demand, is_held=name in held)
    }
    traded = len(late) + len(fit)
    for name, used in fit.items():
        if days := _recent_gaps(used, completed):
            late[name] = Unfit(BARS_MISSING, f"no bar on {listed_days(days)}")
    is_share_exceeded = len(late) >= _FEWEST_LATE and len(late) > max_share * traded
    if is_share_exceeded or (late and not fit):
        raise StaleBarsError(
            BARS_STALE,
            "The feed is late for too many symbols. Start the run again later, or allow more of "
            "them with MaxStaleShare.",
            late=f"{len(late)} of {traded}",
            expected=completed[-1].date,
            symbols=_listed(late),
        )


def require_fit(symbols: Iterable[str], unfit: Mapping[str, Unfit], *, stops: bool) -> None:
    """Fail the run if no symbol is fit, or if any is unfit and the template says stop.

    Parameters
    ----------
    stops : bool
        Whether ``UnfitSymbols`` is ``stop``.

    Raises
    ------
    ConfigurationError, InsufficientHistoryError, StaleBarsError
        The first code of `Unfit` in the order of the checks, with all unfit symbols.
    """
    if not unfit or (not stops and any(each not in unfit for each in symbols)):
        return
    codes = {each.code for each in unfit.values()}
    code = next(each for each in _ADVICE if each in codes)
    kind = _ERRORS.get(code, InsufficientHistoryError)
    raise kind(code, _ADVICE[code], symbols=_listed(unfit))


def _is_late(
    code: str,
    bars: Bars | None,
    completed: Sequence[Session],
    demand: BarRequirements,
    *,
    is_held: bool,
) -> bool:
    """Whether the symbol traded the session before, or is held, and now lacks a recent bar."""
    if not bars:
        return code == BARS_ABSENT and is_held
    if code == BARS_STALE:
        before = completed[-demand.max_age_sessions - 1 :]
        return bars.at[-1] >= before[0].open
    return code == BARS_MISSING and bool(_recent_gaps(bars, completed))


def _recent_gaps(bars: Bars, completed: Sequence[Session]) -> list[date]:
    """Return the newest sessions without a bar; a tolerated gap may show a late feed, too."""
    return gaps(bars, completed[-_RECENT_SESSIONS:])


def _trades_after(action: CorporateAction, bars: Bars | None) -> bool:
    from algotrader.session.trigger import NEW_YORK  # noqa: PLC0415 - Decide Orders never needs it

    return bars is not None and bars.at[-1].astimezone(NEW_YORK).date() > action.ex_date


def _listed(unfit: Mapping[str, Unfit]) -> str:
    """List at most ten symbols with their details, and count the rest."""
    named = [f"{name} ({each.detail})" for name, each in sorted(unfit.items())]
    text = ", ".join(named[:_NAMED_AT_MOST])
    more = len(named) - _NAMED_AT_MOST
    return f"{text} and {more} more" if more > 0 else text
