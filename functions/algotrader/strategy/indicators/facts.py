"""Owns what docs/indicators.md says of each class: where it begins, its ties, and its source."""

from __future__ import annotations

from typing import NamedTuple


class Facts(NamedTuple):
    """What the page says of one class.

    Attributes
    ----------
    seed : str
        What a recursion begins with; a window has none.
    ties : str
        What equal prices and zeros count as.
    source : str
        Who published the definition, and where.
    """

    seed: str
    ties: str
    source: str


class Deviation(NamedTuple):
    """How far the values of an output are from other values, after its warm-up.

    Attributes
    ----------
    name : str
        The name of the other values.
    first : int
        Index of the first of the other values.
    bars : int
        Bars that differ by more than one millionth of the mean size.
    largest : float
        The largest difference, in mean sizes; 0 if ``bars`` is 0.
    """

    name: str
    first: int
    bars: int
    largest: float


def deviations(table: str) -> dict[str, Deviation]:
    """Parse a table of deviations: an output a line, and the fields in their order."""
    rows = (line.split() for line in table.split("\n") if line)
    return {
        output: Deviation(name, int(first), int(bars), float(largest))
        for output, name, first, bars, largest in rows
    }


_WINDOW = "none, a window"
_FIRST_CLOSE = "the first close"
_UNCHANGED_MOVES_NOTHING = "an unchanged close moves nothing"
_NO_RANGE = "undefined without a range"
_WILDER = "J. W. Wilder, *New Concepts in Technical Trading Systems* (1978)"
_APPEL = "G. Appel, *The Moving Average Convergence-Divergence Trading Method* (1985)"
_CHAIKIN = "M. Chaikin"
_COMMON = "common use"

#: By the name of the class in `ta`.
FACTS: dict[str, Facts] = {
    "RSIIndicator": Facts(
        "0 at the first bar; TA-Lib begins with the mean of 14 changes",
        "an unchanged close is neither gain nor loss; gains only are 100",
        _WILDER,
    ),
    "TSIIndicator": Facts(
        "the first change, then its first average",
        "an unchanged close moves nothing; undefined without a move",
        "W. Blau, *Momentum, Direction, and Divergence* (1995)",
    ),
    "UltimateOscillator": Facts(_WINDOW, "undefined without a true range", "L. Williams (1985)"),
    "StochasticOscillator": Facts(_WINDOW, _NO_RANGE, "G. Lane"),
    "KAMAIndicator": Facts(
        "the close of bar 9",
        "an efficiency ratio of 0/0 is undefined on its own bar; later bars take it for 0, where "
        "TA-Lib takes 1",
        "P. Kaufman, *Smarter Trading* (1995)",
    ),
    "ROCIndicator": Facts(_WINDOW, "none", _COMMON),
    "AwesomeOscillatorIndicator": Facts(
        _WINDOW, "none", "B. Williams, *New Trading Dimensions* (1998)"
    ),
    "WilliamsRIndicator": Facts(_WINDOW, _NO_RANGE, "L. Williams (1973)"),
    "StochRSIIndicator": Facts(
        "that of `rsi`",
        "undefined if the RSI has no range; 0 to 1, where TA-Lib has 0 to 100",
        "T. Chande and S. Kroll, *The New Technical Trader* (1994)",
    ),
    "PercentagePriceOscillator": Facts(_FIRST_CLOSE, "none", _APPEL),
    "PercentageVolumeOscillator": Facts(
        "the first volume",
        "undefined without volume",
        "`ppo` of the volume",
    ),
    "AverageTrueRange": Facts(
        "the mean of 14 ranges, the first of them high minus low; TA-Lib leaves that one out",
        "none",
        _WILDER,
    ),
    "BollingerBands": Facts(
        _WINDOW,
        "a close on the band is not beyond it; no deviation leaves `bollinger_pband` undefined",
        "J. Bollinger, *Bollinger on Bollinger Bands* (2001)",
    ),
    "KeltnerChannel": Facts(
        "none, a window; with `original_version=False` those of an EMA and of the ATR",
        "a close on the band is not beyond it; no range leaves `keltner_channel_pband` undefined",
        "C. Keltner, *How to Make Money in Commodities* (1960)",
    ),
    "DonchianChannel": Facts(
        _WINDOW, "no range leaves `donchian_channel_pband` undefined", "R. Donchian"
    ),
    "UlcerIndex": Facts(
        _WINDOW,
        "none",
        "P. Martin and B. McCann, *The Investor's Guide to Fidelity Funds* (1989)",
    ),
    "AroonIndicator": Facts(
        "none, a window of 26 bars",
        "of equal extremes the latest counts; `ta` takes the oldest",
        "T. Chande, *A Time Price Oscillator* (1995)",
    ),
    "MACD": Facts(_FIRST_CLOSE, "none", _APPEL),
    "EMAIndicator": Facts(_FIRST_CLOSE, "none", _COMMON),
    "SMAIndicator": Facts(_WINDOW, "none", _COMMON),
    "WMAIndicator": Facts(_WINDOW, "none", _COMMON),
    "TRIXIndicator": Facts(
        "the first close, then its first averages", "none", "J. Hutson, *Good TRIX* (1983)"
    ),
    "MassIndex": Facts(
        "the first range, then its first average",
        "undefined if the average range is zero",
        "D. Dorsey, *The Mass Index* (1992)",
    ),
    "IchimokuIndicator": Facts(
        "none, a window; `ta` begins `ichimoku_b` with shorter ones", "none", "G. Hosoda (1969)"
    ),
    "KSTIndicator": Facts(
        "none, windows; before, `ta` takes the mean of all closes for those that are missing",
        "none",
        "M. Pring, *Summed Rate of Change (KST)* (1992)",
    ),
    "DPOIndicator": Facts(_WINDOW, "none", _COMMON),
    "CCIIndicator": Facts(
        _WINDOW,
        "undefined if the mean deviation is zero",
        "D. Lambert, *Commodity Channel Index* (1980)",
    ),
    "ADXIndicator": Facts(
        "sums of 14 movements, then the mean of 14 directional indexes; TA-Lib sums 13. `ta` "
        "writes 0 before",
        "equal moves up and down count as neither; in `ta` and TA-Lib rounding decides. "
        "Undefined without a movement",
        _WILDER,
    ),
    "VortexIndicator": Facts(
        _WINDOW,
        "undefined without a true range",
        "E. Botes and D. Siepman, *The Vortex Indicator* (2010)",
    ),
    "PSARIndicator": Facts(
        "the first bar's extreme, in the direction of the first directional movement; without one "
        "a rise. `ta` begins with a rise from the second close",
        "a touch reverses; `ta` needs more than a touch, and tests it before it holds the SAR to "
        "the last two bars",
        _WILDER,
    ),
    "STCIndicator": Facts(
        "the first close, then the first stochastics",
        "undefined if the MACD or its stochastic has no range",
        "D. Schaff",
    ),
    "AccDistIndexIndicator": Facts(
        "the first bar's flow", "a bar without a range adds nothing", _CHAIKIN
    ),
    "OnBalanceVolumeIndicator": Facts(
        "the first volume",
        "an unchanged close moves nothing; `ta` adds its volume",
        "J. Granville, *Granville's New Key to Stock Market Profits* (1963)",
    ),
    "ChaikinMoneyFlowIndicator": Facts(
        _WINDOW, "a bar without a range adds nothing; undefined without volume", _CHAIKIN
    ),
    "ForceIndexIndicator": Facts(
        "the first change", _UNCHANGED_MOVES_NOTHING, "A. Elder, *Trading for a Living* (1993)"
    ),
    "EaseOfMovementIndicator": Facts(
        _WINDOW,
        "undefined on a bar without volume",
        "R. Arms, *Volume Cycles in the Stock Market* (1983)",
    ),
    "VolumePriceTrendIndicator": Facts("the first change", _UNCHANGED_MOVES_NOTHING, _COMMON),
    "NegativeVolumeIndexIndicator": Facts(
        "1000", "an unchanged volume keeps it", "N. Fosback, *Stock Market Logic* (1976)"
    ),
    "MFIIndicator": Facts(
        _WINDOW,
        "an unchanged typical price moves nothing; `ta` lets rounding decide what is unchanged",
        "G. Quong and A. Soudack, *Volume-Weighted RSI: Money Flow* (1989)",
    ),
    "VolumeWeightedAveragePrice": Facts(_WINDOW, "undefined without volume", _COMMON),
    "DailyReturnIndicator": Facts(_WINDOW, "none", _COMMON),
    "DailyLogReturnIndicator": Facts(_WINDOW, "none", _COMMON),
    "CumulativeReturnIndicator": Facts(_FIRST_CLOSE, "none", _COMMON),
}
