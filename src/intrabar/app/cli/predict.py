"""`intrabar predict`: what a file of predictions holds, and whether it beats the last price."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from intrabar.analysis.bootstrap import Interval
from intrabar.analysis.figure import Figure, Undefined
from intrabar.analysis.forecasts import Honesty
from intrabar.app.calls.predict import found, manifest_of
from intrabar.app.cli.output import Json, examples, print_json, print_table
from intrabar.app.cli.overrides import Overrides, overridden
from intrabar.app.compose.options import make_account
from intrabar.app.compose.recipe import Recipe
from intrabar.data.prediction_file import read_predictions
from intrabar.errors import ConfigError
from intrabar.indicators.given import Request
from intrabar.research.honesty import Judged, Judgement, judge

Several = Annotated[list[str] | None, Parameter(negative="")]

app = App(
    name="predict",
    help="Train forecasters, let them predict, and ask whether they beat the last price.",
    help_epilogue=examples(
        "intrabar predict train config.yaml",
        "intrabar predict run config.yaml",
        "intrabar predict check predictions/nvda.csv --data nvda-bars.csv",
        "intrabar predict show nvda",
    ),
)

app.command(
    "intrabar.app.cli.forecast:train",
    name="train",
    help="Train every refit of a forecaster that is not in its registry yet.",
    help_epilogue=examples(
        "intrabar predict train config.yaml",
        "intrabar predict train config.yaml --name nvda-ridge --seed 1",
    ),
)
app.command(
    "intrabar.app.cli.forecast:search",
    name="search",
    help="Search for hyperparameters by bars before the first that is predicted.",
    help_epilogue=examples(
        "intrabar predict search config.yaml --trials 50",
        "intrabar predict search config.yaml --trials 200 --name nvda --seed 1",
    ),
)
app.command(
    "intrabar.app.cli.forecast:serve",
    name="serve",
    help="Answer POST /predict with what the models of a registry expect, until it is ended.",
    help_epilogue=examples("intrabar predict serve models/registry/nvda --port 9470"),
)
app.command(
    "intrabar.app.cli.forecast:run",
    name="run",
    help="Let the models of a registry predict every bar that they may, and write the file.",
    help_epilogue=examples(
        "intrabar predict run config.yaml",
        "intrabar predict run config.yaml --model nvda --name nvda.csv",
    ),
)


@app.command(
    help_epilogue=examples(
        "intrabar predict check nvda --data NVDA=bars.csv",
        "intrabar predict check nvda.csv config.yaml --time-is target --json",
    )
)
def check(
    file: Path,
    config: Path | None = None,
    /,
    *,
    data: Several = None,
    symbol: Several = None,
    period: str | None = None,
    calendar: str | None = None,
    zone: str | None = None,
    start: str | None = None,
    end: str | None = None,
    horizon: int | None = None,
    time_is: str | None = None,
    seed: int = 0,
    as_json: Json = False,
) -> int:
    """Ask whether the predictions of a file are better than the last price, by the bars that came.

    Parameters
    ----------
    file : path
        Or the name of one in the folder predictions.
    config : path
        A configuration whose bars are taken.
    data : list of FILE or SYMBOL=FILE
        Bars; without them, or a configuration, those of the catalogue.
    symbol : list of str
        Instruments; those of the file where none is named.
    period : str
        Of the bars, such as 5m or 1d.
    calendar : str
        Exchange calendar of the instruments.
    zone : str
        Of times that carry none.
    start : date
        First day.
    end : date
        Last day.
    horizon : int
        Bars; all that the file has where it is not given.
    time_is : str
        made, start or target, where the prices do not tell which bar a time names.
    seed : int
        Of the intervals.
    as_json : bool
        One JSON object on stdout, nothing else.
    """
    path = found(file)
    asked = Request(str(path), horizon, time_is, zone)
    named = symbol or (None if data or config else read_predictions(path).symbols)
    if not (named or data or config):
        raise ConfigError(
            f"{path.name} names no symbol; say whose bars it is of: --data SYMBOL=FILE, --symbol "
            "SYMBOL of the catalogue, or a configuration"
        )
    given = Overrides(
        symbol=named, data=data, period=period, calendar=calendar, zone=zone, start=start, end=end
    )
    made, remarks = overridden(config, given)
    base = Recipe(
        made, {}, make_account(made.account), made.instruments, remarks=tuple(remarks)
    ).traded_market()
    judgement = judge(asked, base.market, base.instruments, seed)
    if as_json:
        print_json(judgement.as_json())
        return 0
    for line in told(judgement):
        print(line)
    table(judgement)
    return 0


@app.command(help_epilogue=examples("intrabar predict show nvda", "intrabar predict show p.csv"))
def show(name: Path, /, *, as_json: Json = False) -> int:
    """Show what a file of predictions holds.

    Parameters
    ----------
    name : path
        A file, or the name of one in the folder predictions.
    as_json : bool
        One JSON object on stdout, nothing else.
    """
    path = found(name)
    read = read_predictions(path)
    held = manifest_of(read)
    if as_json:
        print_json(held)
        return 0
    count, without = held["rows"], held["without_prediction"]
    print(f"{path}: {count:,} rows, {without:,} without a prediction")
    print(f"instruments   {', '.join(held['symbols']) or 'not named'}")
    print(f"horizons      {', '.join(map(str, held['horizons']))} bars")
    print(f"from, to      {held['span'][0]}, {held['span'][1]}")
    print(f"columns       {', '.join(held['columns'])}")
    print(f"models        {', '.join(held['models']) or 'not named'}")
    print(f"trained until {held['trained_until'] or 'unknown'} ({held['trained_until_is']})")
    print(f"sha256        {read.sha256}")
    for remark in read.remarks:
        print(f"note: {remark}")
    return 0


def told(judgement: Judgement) -> Iterator[str]:
    """The verdict of each instrument and horizon in a sentence, and what there is to say."""
    for one in judgement.judged:
        yield f"{one.symbol}, {one.horizon} ahead: {one.verdict}{ADVICE.get(one.verdict, '')}"
    for remark in judgement.remarks:
        yield f"{'warning' if remark.severe else 'note'}: {remark.text}"
    if len(judgement.judged) > 1:
        yield f"note: p is Holm's over {len(judgement.judged)} instruments and horizons"
    for one in judgement.judged:
        if len(skills := [x.skill for x in one.refits if x.skill is not None]) > 1:
            above = sum(x > 0.0 for x in skills)
            who = f"{one.symbol}, {one.horizon} ahead"
            yield f"note: {who}: skill above 0 in {above} of {len(skills)} refits (--json: each)"
    for drift_of in dict.fromkeys(one.drift_of for one in judgement.judged):
        yield f"note: the drift is that of {drift_of}"
    yield ""


ADVICE = {
    "too good": "; no honest forecast of prices correlates so well: look for a leak",
    "only the drift": "; holding would have earned the same",
}


def table(judgement: Judgement) -> None:
    """The figures, a line per instrument and horizon."""
    header = (
        "symbol", "bars ahead", "rows", "in", "skill", "95%", "against drift", "95%",
        "against ridge", "95%", "p", "direction", "usual", "rank corr.", "spread",
    )  # fmt: skip
    rows = [
        row
        for one in judgement.judged
        for row in (_row(one, "ATRs", one.in_atrs), _row(one, "returns", one.raw))
    ]
    print_table(header, rows, right=header[1:])
    quantiles = [
        [one.symbol, str(one.horizon), f"{q.probability:g}", f"{q.below:.3f}", f"{q.loss:.4f}",
         _value(q.usual_loss)]
        for one in judgement.judged
        for q in one.in_atrs.quantiles
    ]  # fmt: skip
    if quantiles:
        print()
        of_quantiles = ("symbol", "bars ahead", "quantile", "below it", "loss", "usual loss")
        print_table(of_quantiles, quantiles, right=of_quantiles[1:])


def _row(one: Judged, unit: str, of: Honesty) -> list[str]:
    p = f"{one.p:.3f}" if unit == "ATRs" else ""
    return [
        one.symbol, str(one.horizon), f"{of.rows:,}", unit, _value(of.skill), _ends(of.skill),
        _value(of.against_drift), _ends(of.against_drift), _value(of.against_ridge),
        _ends(of.against_ridge), p, _value(of.direction),
        _value(of.usual_direction), _value(of.correlation), _value(of.spread),
    ]  # fmt: skip


def _value(figure: Interval | Figure) -> str:
    if isinstance(figure, Undefined):
        return "-"
    return f"{figure.value if isinstance(figure, Interval) else figure:.4f}"


def _ends(figure: Interval | Undefined) -> str:
    return f"{figure.low:.4f} to {figure.high:.4f}" if isinstance(figure, Interval) else "-"
