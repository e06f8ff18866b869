"""Owns the frozen values that all packages share; their methods only derive values from fields.

Units, unless a field says otherwise: prices and cash in US dollars, quantities in shares, weights
as fractions of desk capital (0.25 is 25 %). Instants are aware UTC datetimes. Money is ``Decimal``.
"""

from algotrader.model.account import Account, Adjustment, Holding, Ledger, Order, Position
from algotrader.model.decision import (
    Cutoff,
    Decision,
    DesiredStop,
    OrderDenied,
    OrderIntent,
    OrderRejected,
    Plan,
    Submission,
)
from algotrader.model.enums import (
    ActivityKind,
    Leg,
    OrderType,
    Side,
    Stage,
    TimeInForce,
    TradingMode,
    TradingState,
)
from algotrader.model.market import (
    Asset,
    Bars,
    Clock,
    CorporateAction,
    LatestPrice,
    NewShares,
    Session,
    Unfit,
)
from algotrader.model.performance import (
    Activity,
    Conversion,
    LossLimits,
    Performance,
    Receivable,
    Standing,
    StrategyStart,
    SymbolProfit,
    Track,
    TrackDay,
)
from algotrader.model.run import Features, FeatureValue, Run, Snapshot
from algotrader.model.settings import BOUNDS, Bounds, Settings, parameter_of

__all__ = [
    "BOUNDS",
    "Account",
    "Activity",
    "ActivityKind",
    "Adjustment",
    "Asset",
    "Bars",
    "Bounds",
    "Clock",
    "Conversion",
    "CorporateAction",
    "Cutoff",
    "Decision",
    "DesiredStop",
    "FeatureValue",
    "Features",
    "Holding",
    "LatestPrice",
    "Ledger",
    "Leg",
    "LossLimits",
    "NewShares",
    "Order",
    "OrderDenied",
    "OrderIntent",
    "OrderRejected",
    "OrderType",
    "Performance",
    "Plan",
    "Position",
    "Receivable",
    "Run",
    "Session",
    "Settings",
    "Side",
    "Snapshot",
    "Stage",
    "Standing",
    "StrategyStart",
    "Submission",
    "SymbolProfit",
    "TimeInForce",
    "Track",
    "TrackDay",
    "TradingMode",
    "TradingState",
    "Unfit",
    "parameter_of",
]
