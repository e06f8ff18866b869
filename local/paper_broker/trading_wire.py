"""Owns the trading API's JSON: Alpaca's field names, money as strings, and instants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from local.paper_broker import funds as margins
from local.paper_broker.data import Listing
from local.paper_broker.exchange import Exchange
from local.paper_broker.market import NEW_YORK, HistoricalMarket
from local.paper_broker.values import CENT, ZERO, Activity, ActivityKind, Order, names

RATIO = Decimal("0.000001")


def text(number: Decimal) -> str:
    """Format a number without an exponent or trailing zeros."""
    plain = format(number.normalize(), "f")
    return "0" if plain == "-0" else plain


def money(number: Decimal) -> str:
    """Format dollars, to the cent."""
    return text(number.quantize(CENT))


def instant(at: datetime) -> str:
    """Format an instant as RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _maybe(at: datetime | None) -> str | None:
    return instant(at) if at else None


def _maybe_text(number: Decimal | None) -> str | None:
    return None if number is None else text(number)


def clock(market: HistoricalMarket, now: datetime) -> dict[str, Any]:
    """Return the answer of GET /v2/clock, whose instants have New York's offset."""
    return {
        "timestamp": now.astimezone(NEW_YORK).isoformat(),
        "is_open": market.is_open(now),
        "next_open": market.next_open(now).astimezone(NEW_YORK).isoformat(),
        "next_close": market.next_close(now).astimezone(NEW_YORK).isoformat(),
    }


def calendar_day(market: HistoricalMarket, index: int) -> dict[str, str]:
    """Return one entry of GET /v2/calendar; a trade settles two sessions later."""
    session = market.sessions[index]
    following = market.sessions[index + 1 : index + 3]
    settles = following[1] if len(following) > 1 else session + timedelta(days=4)
    hours = market.history.hours(session)
    return {
        "date": session.isoformat(),
        "open": hours.open.strftime("%H:%M"),
        "close": hours.close.strftime("%H:%M"),
        "session_open": "0400",
        "session_close": "2000",
        "settlement_date": settles.isoformat(),
    }


def account(exchange: Exchange) -> dict[str, Any]:
    """Return the answer of GET /v2/account for a US account."""
    funds, flags = exchange.funds, exchange.behaviour
    power = money(funds.buying_power)
    return {
        "id": exchange.id,
        "account_number": "PA" + exchange.id.replace("-", "")[:10].upper(),
        "status": "ACTIVE",
        "crypto_status": "INACTIVE",
        "currency": "USD",
        "buying_power": power,
        "regt_buying_power": power,
        "options_buying_power": "0",
        "non_marginable_buying_power": money(funds.cash_power),
        "cash": money(exchange.account.cash),
        "accrued_fees": "0",
        "pending_transfer_in": "0",
        "pending_transfer_out": "0",
        "pending_reg_taf_fees": "0",
        "portfolio_value": money(funds.equity),
        "equity": money(funds.equity),
        "last_equity": money(exchange.last_equity),
        "intraday_adjustments": money(exchange.adjustments),
        "long_market_value": money(funds.long_value),
        "short_market_value": money(funds.short_value),
        "initial_margin": money(funds.gross * margins.INITIAL_MARGIN),
        "maintenance_margin": money(funds.gross * margins.MAINTENANCE_MARGIN),
        "last_maintenance_margin": "0",
        "sma": "0",
        "multiplier": str(exchange.opening.multiplier),
        "shorting_enabled": flags.shorting,
        "trading_blocked": flags.trading_blocked,
        "transfers_blocked": False,
        "account_blocked": flags.account_blocked,
        "trade_suspended_by_user": flags.trade_suspended_by_user,
        "admin_configurations": {"restrict_to_liquidation_reasons": {"unspecified": True}}
        if flags.restricted_to_liquidation
        else {},
        "options_approved_level": 0,
        "options_trading_level": 0,
        "created_at": instant(exchange.start),
        "balance_asof": (exchange.market.before(exchange.today) or exchange.today).isoformat(),
    }


def configurations(exchange: Exchange) -> dict[str, Any]:
    """Return the answer of GET /v2/account/configurations."""
    flags = exchange.behaviour
    return {
        "no_shorting": not flags.shorting,
        "suspend_trade": flags.trade_suspended_by_user,
        "fractional_trading": True,
        "max_margin_multiplier": str(exchange.opening.multiplier),
        "max_options_trading_level": 0,
        "disable_overnight_trading": False,
        "ptp_no_exception_entry": False,
        "trade_confirm_email": "all",
    }


def position(exchange: Exchange, symbol: str) -> dict[str, Any]:
    """Return one position; ``lastday_price`` is the previous close, adjusted for today's splits."""
    holding = exchange.account.holdings[symbol]
    price = exchange.latest(symbol) or holding.average
    today = exchange.today
    before = exchange.market.close_before(symbol, today) or price
    for split in exchange.market.splits(exchange.now):
        if split.symbol == symbol and split.ex_date == today:
            before /= split.ratio
    value = holding.qty * price
    gain, gain_today = value - holding.cost, holding.qty * (price - before)
    return {
        "asset_id": exchange.asset_id(symbol),
        "symbol": symbol,
        "exchange": exchange.market.history.listings[symbol].exchange,
        "asset_class": "us_equity",
        "asset_marginable": True,
        "qty": text(holding.qty),
        "qty_available": text(exchange.funds.available(symbol)),
        "avg_entry_price": text(holding.average.quantize(RATIO)),
        "side": "long" if holding.qty > 0 else "short",
        "market_value": money(value),
        "cost_basis": money(holding.cost),
        "unrealized_pl": money(gain),
        "unrealized_plpc": text((gain / abs(holding.cost)).quantize(RATIO)),
        "unrealized_intraday_pl": money(gain_today),
        "unrealized_intraday_plpc": text((gain_today / abs(holding.qty * before)).quantize(RATIO)),
        "current_price": text(price),
        "lastday_price": text(before),
        "change_today": text(((price - before) / before).quantize(RATIO)),
    }


def order(exchange: Exchange, it: Order) -> dict[str, Any]:
    """Return one order."""
    ticket = it.ticket
    average = (it.filled_value / it.filled_qty).quantize(RATIO) if it.filled_qty else None
    return {
        "id": it.id,
        "client_order_id": it.client_order_id,
        "created_at": instant(it.submitted_at),
        "updated_at": instant(it.updated_at),
        "submitted_at": instant(it.submitted_at),
        "filled_at": _maybe(it.filled_at),
        "expired_at": _maybe(it.expired_at),
        "canceled_at": _maybe(it.canceled_at),
        "failed_at": _maybe(it.failed_at),
        "replaced_at": _maybe(it.replaced_at),
        "replaced_by": it.replaced_by,
        "replaces": it.replaces,
        "asset_id": exchange.asset_id(ticket.symbol),
        "symbol": ticket.symbol,
        "asset_class": "us_equity",
        "notional": _maybe_text(ticket.notional),
        "qty": None if ticket.notional is not None else _maybe_text(it.qty),
        "filled_qty": text(it.filled_qty),
        "filled_avg_price": _maybe_text(average),
        "order_class": "simple",
        "order_type": ticket.type,
        "type": ticket.type,
        "side": ticket.side,
        "time_in_force": ticket.time_in_force,
        "limit_price": _maybe_text(it.limit_price),
        "stop_price": _maybe_text(it.stop_price),
        "status": it.status,
        "extended_hours": ticket.extended_hours,
        "legs": None,
        "trail_percent": _maybe_text(ticket.trail_percent),
        "trail_price": _maybe_text(ticket.trail_price),
        "hwm": _maybe_text(it.mark),
        "subtag": None,
        "source": None,
        "expires_at": instant(it.expires_at),
    }


def asset(exchange: Exchange, listing: Listing) -> dict[str, Any]:
    """Return one asset."""
    flags = exchange.behaviour
    return {
        "id": exchange.asset_id(listing.symbol),
        "class": "us_equity",
        "exchange": listing.exchange,
        "symbol": listing.symbol,
        "name": listing.name,
        "cusip": listing.cusip,
        "status": "active",
        "tradable": listing.tradable and not names(flags.untradable, listing.symbol),
        "marginable": True,
        "shortable": True,
        "easy_to_borrow": True,
        "fractionable": not names(flags.unfractionable, listing.symbol),
        "maintenance_margin_requirement": 30,
        "margin_requirement_long": "30",
        "margin_requirement_short": "30",
        "attributes": [],
    }


def activity(it: Activity) -> dict[str, Any]:
    """Return one entry of GET /v2/account/activities."""
    if it.kind is ActivityKind.FILL:
        return {
            "id": it.id,
            "activity_type": it.kind.value,
            "transaction_time": instant(it.at),
            "type": "partial_fill" if it.leaves else "fill",
            "price": text(it.price or ZERO),
            "qty": text(it.qty or ZERO),
            "side": it.side,
            "symbol": it.symbol,
            "leaves_qty": text(it.leaves or ZERO),
            "cum_qty": text(it.cumulative or ZERO),
            "order_id": it.order_id,
            "order_status": "partially_filled" if it.leaves else "filled",
        }
    body = {
        "id": it.id,
        "activity_type": it.kind.value,
        "activity_sub_type": {"DIV": "CDIV", "SPLIT": "FSPLIT"}.get(it.kind.value, ""),
        "date": it.at.astimezone(NEW_YORK).date().isoformat(),
        "created_at": instant(it.at),
        "net_amount": money(it.net),
        "currency": "USD",
        "status": "executed",
    }
    if it.symbol is not None:
        body |= {"symbol": it.symbol, "qty": text(it.qty or ZERO)}
    if it.kind is ActivityKind.DIVIDEND:
        body["per_share_amount"] = text(it.price or ZERO)
    return body
