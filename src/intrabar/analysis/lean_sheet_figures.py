"""Where each figure of the metric sheet stands in what the kernels write."""

from __future__ import annotations

from intrabar.analysis.units import METRICS

# The annual return is worked out of the growth, and `calmar` of it.
FIGURES = tuple("growth" if n == "annual_return" else n for n in METRICS if n != "calmar")
SLOTS = {name: slot for slot, name in enumerate(FIGURES)}

NET_PROFIT = SLOTS["net_profit"]
TOTAL_RETURN = SLOTS["total_return"]
GROWTH = SLOTS["growth"]
VOLATILITY = SLOTS["volatility"]
SHARPE = SLOTS["sharpe"]
SORTINO = SLOTS["sortino"]
MAX_DRAWDOWN = SLOTS["max_drawdown"]
MAX_DRAWDOWN_BARS = SLOTS["max_drawdown_bars"]
MAX_DRAWDOWN_DAYS = SLOTS["max_drawdown_days"]
RECOVERY_DAYS = SLOTS["max_drawdown_recovery_days"]
LONGEST_BARS = SLOTS["longest_drawdown_bars"]
LONGEST_DAYS = SLOTS["longest_drawdown_days"]
EXPOSURE = SLOTS["exposure"]
TURNOVER = SLOTS["turnover"]
COSTS = SLOTS["costs"]
COST_SHARE = SLOTS["cost_share"]
CAMPAIGNS = SLOTS["campaigns"]
WIN_RATE = SLOTS["win_rate"]
EXPECTANCY = SLOTS["expectancy"]
EXPECTANCY_R = SLOTS["expectancy_r"]
PROFIT_FACTOR = SLOTS["profit_factor"]
PAYOFF = SLOTS["payoff"]
SQN = SLOTS["sqn"]
AVERAGE_MAE = SLOTS["average_mae"]
AVERAGE_MFE = SLOTS["average_mfe"]
LONGEST_WINS = SLOTS["longest_wins"]
LONGEST_LOSSES = SLOTS["longest_losses"]
BEST_MONTH = SLOTS["best_month"]
WORST_MONTH = SLOTS["worst_month"]
