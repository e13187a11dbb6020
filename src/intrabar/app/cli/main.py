"""The command line: what a person types, and what every failure looks like.

Commands are named here and imported when they run, so that `intrabar --help` stays quick. What
the user can put right is one line on stderr and an exit code; a bug keeps its traceback.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

from cyclopts import App

from intrabar.app.cli.output import examples
from intrabar.errors import IntrabarError
from intrabar.version import __version__

app = App(
    name="intrabar",
    help="Research, test and run trading strategies on one compiled market.",
    version=__version__,
    help_format="plaintext",
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)

# Commands by import string: none of these modules is loaded before its command runs. A
# function's name here is the command's; an imported `App` must bear the same name itself.
app.command(
    "intrabar.app.cli.scenario:scenario",
    name="scenario",
    help="Run a scenario file and say what happened and why, step by step.",
    help_epilogue=examples("intrabar scenario one.json", "intrabar scenario one.json --json"),
)
app.command(
    "intrabar.app.cli.backtest:backtest",
    name="backtest",
    help="Run a backtest and store it with its report.",
    help_epilogue=examples(
        "intrabar backtest --data acme.csv --strategy CoinFlip",
        "intrabar backtest config.yaml --param slow=100 --start 2015-01-01",
        "intrabar backtest --data ES.csv --zone UTC --strategy mine:Breakout",
    ),
)
app.command(
    "intrabar.app.cli.sweep:sweep",
    name="sweep",
    help="Run many variants of a configuration, each once.",
    help_epilogue=examples(
        "intrabar sweep --data acme.csv --strategy MovingAverageCrossover \\",
        "    --vary fast=5,10,20 --vary slow=30:90:10 --constraint 'fast < slow'",
    ),
)
app.command(
    "intrabar.app.cli.trials:trials",
    name="trials",
    help="List every trial that was ever run, and how many on which bars.",
    help_epilogue=examples("intrabar trials", "intrabar trials --data ACME --each"),
)
app.command(
    "intrabar.app.cli.audit:audit",
    name="audit",
    help="Look for decisions that know the future.",
    help_epilogue=examples(
        "intrabar audit --data acme.csv --strategy mine:Breakout",
        "intrabar audit config.yaml --cuts 50",
    ),
)
app.command(
    "intrabar.app.cli.critique:critique",
    name="critique",
    help="Say what speaks against a stored run.",
    help_epilogue=examples("intrabar critique last", "intrabar critique 5b488a"),
)
app.command(
    "intrabar.app.cli.validate:validate",
    name="validate",
    help="Ask whether a run, or the best of a sweep, is real.",
    help_epilogue=examples("intrabar validate last", "intrabar validate last --tried 500"),
)
app.command(
    "intrabar.app.cli.walk_forward:walk_forward",
    name="walk-forward",
    help="Choose on past windows, trade the choice on the next ones.",
    help_epilogue=examples(
        "intrabar walk-forward config.yaml",
        "intrabar walk-forward --data acme.csv --strategy MovingAverageCrossover \\",
        "    --vary fast=5,10 --vary slow=30,60 --train 2y --test 6m",
    ),
)
app.command(
    "intrabar.app.cli.learn:learn",
    name="learn",
    help="Make what exits learn from, and train them.",
)
app.command(
    "intrabar.app.cli.paper:paper",
    name="paper",
    help="Run a session on paper, on live bars or on recorded ones.",
    help_epilogue=examples(
        "intrabar paper config.yaml",
        "intrabar paper config.yaml --recorded data --name rehearsal",
    ),
)
app.command(
    "intrabar.app.cli.paper:demo_paper",
    name="demo-paper",
    help="Live through three years on paper, and hold it against the backtest.",
    help_epilogue=examples("intrabar demo-paper"),
)
app.command(
    "intrabar.app.cli.session:session",
    name="session",
    help="See how sessions stand, and ask something of one that runs.",
)
app.command(
    "intrabar.app.cli.session:kill",
    name="kill",
    help="Close everything of a session, and let nothing be entered.",
    help_epilogue=examples("intrabar kill main", "intrabar kill"),
)
app.command(
    "intrabar.app.cli.live:app",
    name="live",
    help="Trade with real money, behind three gates.",
)
app.command(
    "intrabar.app.cli.broker:broker",
    name="broker",
    help="See which brokers there are, and how an account does.",
)
app.command(
    "intrabar.app.cli.demo_learning:demo_learning",
    name="demo-learning",
    help="Train an exit on five shares, and ask if it is worth it.",
    help_epilogue=examples("intrabar demo-learning"),
)
app.command(
    "intrabar.app.cli.backtest:demo",
    name="demo",
    help="Backtest two bots on five shares that come as a package, and write the report.",
    help_epilogue=examples("intrabar demo"),
)
app.command(
    "intrabar.app.cli.warm:warm",
    name="warm",
    help="Compile ahead what the first runs need.",
    help_epilogue=examples("intrabar warm"),
)
app.command(
    "intrabar.app.cli.parity:parity",
    name="parity",
    help="Hold a session against the market model: identical, or where and how much they differ.",
    help_epilogue=examples("intrabar parity main", "intrabar parity main --json"),
)
app.command(
    "intrabar.app.cli.health:health",
    name="health",
    help="Ask a session of this machine whether it lives; --ready: whether it is fit for its work.",
    help_epilogue=examples("intrabar health", "intrabar health --ready --port 9465"),
)
app.command(
    "intrabar.app.cli.data:app",
    name="data",
    help="Import or fetch bars into the catalogue; list, show, verify, resample them.",
)
app.command(
    "intrabar.app.cli.watch:watch",
    name="watch",
    help="Show live bars and quotes of a source, as they come.",
    help_epilogue=examples(
        "intrabar watch AAPL MSFT --source tradestation",
        "intrabar watch AAPL --source yfinance --period 5m --json",
        "intrabar watch ACME --recorded acme.csv --speed 10",
    ),
)
app.command(
    "intrabar.app.cli.predict:app",
    name="predict",
    help="Train forecasters, let them predict, and ask whether they beat the last price.",
)
app.command(
    "intrabar.app.cli.runs:runs",
    name="runs",
    help="List, show, compare and repeat stored runs.",
)
app.command(
    "intrabar.app.cli.journal:journal",
    name="journal",
    help="Verify, back up, restore and archive what sessions have written down.",
)

INTERRUPTED = 130
NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


def run(arguments: Sequence[str]) -> int:
    """Carry out a command line.

    Parameters
    ----------
    arguments : sequence of str
        Without the program's name.

    Returns
    -------
    int
        The exit code: 0, 1 for a failure, 2 for a request that cannot be carried out as it was
        made, 130 when interrupted.
    """
    try:
        code = app(list(arguments))
        sys.stdout.flush()
    except IntrabarError as error:
        return _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:  # the reader has seen enough (`| head`)
        _abandon_stdout()
        return 1
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        _abandon_stdout()
        where = f" for {error.filename}" if error.filename else ""
        return _fail(f"no space left on the device{where}; make room and try again", 1)
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code


def _abandon_stdout() -> None:
    """Let what is still buffered go nowhere, so that the interpreter can end quietly."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def main() -> None:
    """Entry point of the `intrabar` program."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
