/* The floor: one fixed rule set in one pass, and nothing else. No order book, no log, no margin.

   Two EMAs and a Wilder ATR, all started from the first bar. A cross of the EMAs on a close, when
   flat and from bar `warm` on, is bought or sold at the next open, with a stop and a target at
   multiples of the ATR from that close. An open beyond a level fills at the open; inside a bar the
   stop goes first. Slippage on market and stop fills, a fee on every fill, both fractions.
*/
#include <math.h>
#include <stdint.h>

typedef struct {
    double equity;
    int64_t fills;
} outcome;

void bracket(const double *open, const double *high, const double *low, const double *close,
             int64_t bars, int fast, int slow, int atr_period, double stop_atr, double target_atr,
             int64_t warm, double cash, double units, double fee, double slip, double *equity,
             outcome *out)
{
    const double fast_alpha = 2.0 / (fast + 1), slow_alpha = 2.0 / (slow + 1);
    double fast_ema = close[0], slow_ema = close[0], atr = high[0] - low[0];
    double held = 0, stop = 0, target = 0;
    int side = 0, pending = 0;
    int64_t fills = 0;
    for (int64_t i = 0; i < bars; i++) {
        if (pending) {
            const double price = open[i] * (1 + slip * pending);
            held = pending * units;
            cash -= held * price + units * price * fee;
            pending = 0;
            fills++;
        }
        if (held != 0) {
            const int s = held > 0 ? 1 : -1;
            const double adverse = s > 0 ? low[i] : high[i], kind = s > 0 ? high[i] : low[i];
            double price = NAN;
            if (s * (open[i] - stop) <= 0) price = open[i] * (1 - slip * s);
            else if (s * (open[i] - target) >= 0) price = open[i];
            else if (s * (adverse - stop) <= 0) price = stop * (1 - slip * s);
            else if (s * (kind - target) >= 0) price = target;
            if (!isnan(price)) {
                cash += held * price - units * price * fee;
                held = 0;
                fills++;
            }
        }
        equity[i] = cash + held * close[i];
        if (i == 0) continue;
        fast_ema += fast_alpha * (close[i] - fast_ema);
        slow_ema += slow_alpha * (close[i] - slow_ema);
        const double up = fmax(high[i], close[i - 1]), down = fmin(low[i], close[i - 1]);
        atr += (up - down - atr) / atr_period;
        const int now = (fast_ema > slow_ema) - (fast_ema < slow_ema);
        if (now && now != side && held == 0 && i >= warm) {
            pending = now;
            stop = close[i] - now * stop_atr * atr;
            target = close[i] + now * target_atr * atr;
        }
        if (now) side = now;
    }
    out->equity = equity[bars - 1];
    out->fills = fills;
}
