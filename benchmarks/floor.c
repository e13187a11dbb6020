/* The floor: one fixed rule set in one pass, and nothing else. No order book, no log, no margin.
   Each function writes the equity of every close, and returns the last one and the fills. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct {
    double equity;
    int64_t fills;
} outcome;

/* W1, W3: long or short `units` by the sign of the fast mean less the slow one, from its first
   change on. `entry` holds the price that an order of the bar before gets. */
void cross(const double *entry, const double *close, int64_t bars, int fast, int slow, double cash,
           double units, double fee, double *equity, outcome *out)
{
    double held = 0, fast_sum = 0, slow_sum = 0;
    const double fast_part = 1.0 / fast, slow_part = 1.0 / slow;
    int wanted = 0, side = 0;
    int64_t fills = 0;
    for (int64_t i = 0; i < bars; i++) {
        if (wanted) {
            const double change = wanted * units - held;
            cash -= change * entry[i] + fabs(change) * entry[i] * fee;
            held += change;
            wanted = 0;
            fills++;
        }
        equity[i] = cash + held * close[i];
        fast_sum += close[i] - (i >= fast ? close[i - fast] : 0);
        slow_sum += close[i] - (i >= slow ? close[i - slow] : 0);
        if (i + 1 < slow) continue;
        const double apart = fast_sum * fast_part - slow_sum * slow_part;
        const int now = (apart > 0) - (apart < 0);
        if (now && side && now != side) wanted = now;
        if (now) side = now;
    }
    out->equity = equity[bars - 1];
    out->fills = fills;
}

void crosses(const double *entry, const double *close, int64_t bars, const int *fast,
             const int *slow, int64_t runs, double cash, double units, double fee, double *equity,
             outcome *out)
{
    for (int64_t k = 0; k < runs; k++)
        cross(entry, close, bars, fast[k], slow[k], cash, units, fee, equity, out + k);
}

/* W2: two EMAs and a Wilder ATR, all started from the first bar. A cross of the EMAs on a close,
   when flat and from bar `warm` on, is traded at the next open, with a stop and a target at
   multiples of the ATR from that close. An open beyond a level fills at the open; inside a bar
   the stop goes first. Slippage and a fee are fractions; `entry_slip`, `stop_slip` and
   `target_slip` are the slippage of the three kinds of fills. `late`: stop and target count from
   the bar after the entry's on, as some engines have it. */
void bracket(const double *open, const double *high, const double *low, const double *close,
             int64_t bars, int fast, int slow, int atr_period, double stop_atr, double target_atr,
             int64_t warm, double cash, double units, double fee, double entry_slip,
             double stop_slip, double target_slip, int late,
             double *equity, outcome *out)
{
    const double fast_alpha = 2.0 / (fast + 1), slow_alpha = 2.0 / (slow + 1);
    double fast_ema = close[0], slow_ema = close[0], atr = high[0] - low[0];
    double held = 0, stop = 0, target = 0;
    int side = 0, pending = 0;
    int64_t fills = 0;
    for (int64_t i = 0; i < bars; i++) {
        const int entered = pending != 0;
        if (pending) {
            const double price = open[i] * (1 + entry_slip * pending);
            held = pending * units;
            cash -= held * price + units * price * fee;
            pending = 0;
            fills++;
        }
        if (held != 0 && !(late && entered)) {
            const int s = held > 0 ? 1 : -1;
            const double adverse = s > 0 ? low[i] : high[i], kind = s > 0 ? high[i] : low[i];
            double price = NAN;
            if (s * (open[i] - stop) <= 0) price = open[i] * (1 - stop_slip * s);
            else if (s * (open[i] - target) >= 0) price = open[i] * (1 - target_slip * s);
            else if (s * (adverse - stop) <= 0) price = stop * (1 - stop_slip * s);
            else if (s * (kind - target) >= 0) price = target * (1 - target_slip * s);
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

typedef struct {
    double gain;
    int64_t place;
} ranked;

static int better(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->gain != y->gain) return x->gain < y->gain ? 1 : -1;
    return x->place < y->place ? -1 : 1;
}

/* W4: at each bar of `ends` the `best` instruments by the gain over `look` bars, in equal weights
   of `gross` times the equity, at the next open, in `whole` shares or in fractions. Rows are
   bars. */
void momentum(const double *open, const double *close, const int64_t *ends, int64_t ends_count,
              int64_t bars, int64_t n, int best, int look, int whole, double gross, double cash,
              double fee, double *equity, outcome *out)
{
    double *held = calloc(n, sizeof *held), *wanted = calloc(n, sizeof *wanted);
    ranked *order = malloc(n * sizeof *order);
    int64_t fills = 0, next = 0;
    int pending = 0;
    for (int64_t i = 0; i < bars; i++) {
        const double *at_open = open + i * n, *at_close = close + i * n;
        for (int64_t j = 0; pending && j < n; j++) {
            const double change = wanted[j] - held[j];
            if (change == 0) continue;
            cash -= change * at_open[j] + fabs(change) * at_open[j] * fee;
            held[j] = wanted[j];
            fills++;
        }
        pending = 0;
        equity[i] = cash;
        for (int64_t j = 0; j < n; j++) equity[i] += held[j] * at_close[j];
        if (next == ends_count || i != ends[next]) continue;
        next++;
        if (i < look) continue;
        const double *past = close + (i - look) * n;
        for (int64_t j = 0; j < n; j++) {
            order[j] = (ranked){at_close[j] / past[j], j};
            wanted[j] = 0;
        }
        qsort(order, n, sizeof *order, better);
        for (int64_t k = 0; k < best; k++) {
            const int64_t j = order[k].place;
            wanted[j] = gross / best * equity[i] / at_close[j];
            if (whole) wanted[j] = floor(wanted[j] + 1e-9);
        }
        pending = 1;
    }
    out->equity = equity[bars - 1];
    out->fills = fills;
    free(held), free(wanted), free(order);
}
