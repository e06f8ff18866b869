"""Owns what tests/support/indicator_deviations.py measured and wrote here."""

from __future__ import annotations

from algotrader.strategy.indicators.facts import deviations

#: Index of the first value of each output, with the default parameters.
FIRST: dict[str, int] = {
    "rsi": 13,
    "tsi": 37,
    "ultimate_oscillator": 28,
    "stoch": 13,
    "stoch_signal": 15,
    "kama": 9,
    "roc": 12,
    "awesome_oscillator": 33,
    "williams_r": 13,
    "stochrsi": 26,
    "stochrsi_k": 28,
    "stochrsi_d": 30,
    "ppo": 25,
    "ppo_signal": 33,
    "ppo_hist": 33,
    "pvo": 25,
    "pvo_signal": 33,
    "pvo_hist": 33,
    "average_true_range": 13,
    "bollinger_mavg": 19,
    "bollinger_hband": 19,
    "bollinger_lband": 19,
    "bollinger_wband": 19,
    "bollinger_pband": 19,
    "bollinger_hband_indicator": 19,
    "bollinger_lband_indicator": 19,
    "keltner_channel_mband": 19,
    "keltner_channel_hband": 19,
    "keltner_channel_lband": 19,
    "keltner_channel_wband": 19,
    "keltner_channel_pband": 19,
    "keltner_channel_hband_indicator": 19,
    "keltner_channel_lband_indicator": 19,
    "donchian_channel_hband": 19,
    "donchian_channel_lband": 19,
    "donchian_channel_mband": 19,
    "donchian_channel_wband": 19,
    "donchian_channel_pband": 19,
    "ulcer_index": 13,
    "aroon_up": 25,
    "aroon_down": 25,
    "aroon_indicator": 25,
    "ta_aroon_up": 25,
    "ta_aroon_down": 25,
    "ta_aroon_indicator": 25,
    "macd": 25,
    "macd_signal": 33,
    "macd_diff": 33,
    "ema_indicator": 13,
    "sma_indicator": 19,
    "wma": 8,
    "trix": 43,
    "mass_index": 40,
    "ichimoku_conversion_line": 8,
    "ichimoku_base_line": 25,
    "ichimoku_a": 25,
    "ichimoku_b": 0,
    "kst": 14,
    "kst_sig": 14,
    "kst_diff": 14,
    "dpo": 19,
    "cci": 19,
    "adx": 27,
    "adx_pos": 14,
    "adx_neg": 14,
    "ta_adx": 27,
    "ta_adx_pos": 15,
    "ta_adx_neg": 15,
    "vortex_indicator_pos": 14,
    "vortex_indicator_neg": 14,
    "vortex_indicator_diff": 14,
    "psar": 1,
    "psar_up": 2,
    "psar_down": 1,
    "psar_up_indicator": 1,
    "psar_down_indicator": 1,
    "ta_psar": 0,
    "ta_psar_up": 10,
    "ta_psar_down": 2,
    "ta_psar_up_indicator": 0,
    "ta_psar_down_indicator": 0,
    "stc": 71,
    "acc_dist_index": 0,
    "on_balance_volume": 0,
    "ta_on_balance_volume": 0,
    "chaikin_money_flow": 19,
    "force_index": 13,
    "ease_of_movement": 1,
    "sma_ease_of_movement": 14,
    "volume_price_trend": 1,
    "negative_volume_index": 0,
    "money_flow_index": 14,
    "ta_money_flow_index": 13,
    "volume_weighted_average_price": 13,
    "daily_return": 1,
    "daily_log_return": 1,
    "cumulative_return": 0,
}

#: By output that we define: how far it is from the value of `ta`.
FROM_TA = deviations("""
aroon_up ta_aroon_up 25 240 2.0
aroon_down ta_aroon_down 25 171 2.0
aroon_indicator ta_aroon_indicator 25 360 1.0
adx ta_adx 27 322 0.04
adx_pos ta_adx_pos 15 0 0.0
adx_neg ta_adx_neg 15 296 0.05
psar ta_psar 0 740 0.2
psar_up ta_psar_up 7 792 0.2
psar_down ta_psar_down 2 889 0.2
psar_up_indicator ta_psar_up_indicator 0 59 20.0
psar_down_indicator ta_psar_down_indicator 0 78 20.0
on_balance_volume ta_on_balance_volume 0 5278 2.0
money_flow_index ta_money_flow_index 13 14 0.09
""")

#: By output that TA-Lib has as well: how far it is from the value there.
FROM_TA_LIB = deviations("""
rsi RSI 14 94 3e-05
tsi TSI 37 32 1e-05
ultimate_oscillator ULTOSC 28 0 0.0
stoch STOCHF 15 0 0.0
stoch_signal STOCHF 15 0 0.0
kama KAMA 10 0 0.0
roc ROC 12 0 0.0
awesome_oscillator AO 33 0 0.0
williams_r WILLR 13 0 0.0
stochrsi STOCHRSI 29 3 1e-06
stochrsi_k STOCHRSI 29 0 0.0
ppo PPO 25 63 1e-05
pvo PPO 25 19 3e-06
average_true_range ATR 14 0 0.0
bollinger_hband BBANDS 19 0 0.0
bollinger_mavg BBANDS 19 0 0.0
bollinger_lband BBANDS 19 0 0.0
donchian_channel_hband DONCHIAN 19 0 0.0
donchian_channel_mband DONCHIAN 19 0 0.0
donchian_channel_lband DONCHIAN 19 0 0.0
keltner_channel_hband KC 19 5960 0.2
keltner_channel_mband KC 19 5959 0.1
keltner_channel_lband KC 19 5960 0.3
aroon_down AROON 25 0 0.0
aroon_up AROON 25 0 0.0
aroon_indicator AROONOSC 25 0 0.0
macd MACD 33 49 3e-05
macd_signal MACD 33 50 3e-05
macd_diff MACD 33 53 3e-05
ema_indicator EMA 13 21 2e-05
sma_indicator SMA 19 0 0.0
wma WMA 8 0 0.0
trix TRIX 43 17 5e-06
mass_index MASSI 40 10 3e-06
ichimoku_conversion_line MIDPRICE 8 0 0.0
ichimoku_base_line MIDPRICE 25 0 0.0
ichimoku_b MIDPRICE 51 0 0.0
dpo DPO 19 0 0.0
cci CCI 19 0 0.0
adx ADX 27 375 0.04
adx_pos PLUS_DI 14 5 2e-06
adx_neg MINUS_DI 14 306 0.05
vortex_indicator_pos VORTEX 14 0 0.0
vortex_indicator_neg VORTEX 14 0 0.0
psar SAR 1 0 0.0
acc_dist_index AD 0 0 0.0
on_balance_volume OBV 0 0 0.0
chaikin_money_flow CMF 19 0 0.0
force_index EFI 13 5 2e-06
volume_price_trend PVT 0 0 0.0
negative_volume_index NVI 0 0 0.0
money_flow_index MFI 14 0 0.0
daily_return ROC 1 0 0.0
""")
