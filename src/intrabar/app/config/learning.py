"""The sections `learn` and `predict`: what exits learn from, and what is predicted by what."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from intrabar.app.config.section import Section


class LearnConfig(Section):
    """What exits learn from.

    Parameters
    ----------
    features : str or list of str
        A set, "exit/1", or features such as "signed trend = close / ema(50) - 1".
    window : real bars
        That must be known before a decision.
    arms : list of ATR multiples, rising
    exit : "trailing" or "fixed"
        How a position goes on.
    max_bars : bars
        Held bars after which a position leaves.
    loss : "score" or "label"
        What an LSTM learns: what each arm earns, or which was best in hindsight.
    seed : int
        Of everything that is drawn in training.
    train, test : stretches of the calendar
        Of a walk-forward: what each policy is trained on, and what it then decides on.
    when : "bar" or "entry"
        Of PPO: decide at each close while held as well, or at the signal's close alone.
    entries : "every" or "bot"
        Of PPO: campaigns begin at each bar and side, or where the bot as configured has entered.
    steps : int
        Of PPO: decisions that each seed makes at most.
    lanes : int
        Of PPO: campaigns side by side.
    """

    features: str | list[str] = "exit/1"
    window: int = 32
    arms: list[float] = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0]  # noqa: RUF012
    exit: Literal["trailing", "fixed"] = "trailing"
    max_bars: int = 250
    loss: Literal["score", "label"] = "score"
    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    train: str = "2y"
    test: str = "6m"
    when: Literal["bar", "entry"] = "bar"
    entries: Literal["every", "bot"] = "every"
    steps: int = 1_000_000
    lanes: int = 64


class PredictConfig(Section):
    """What is predicted, by what, and when it is trained anew.

    Parameters
    ----------
    forecaster : str
        "lstm", "ridge", "sklearn:package.Class", "onnx:FILE" or "module:Class".
    features : str or list of str
    window : real bars
    horizons : list of bars, rising
    quantiles : list of probabilities, rising
    train, refit : stretch of the calendar, or bars
        How much is trained on, and how long a model is used.
    refit_lag : str
        What training takes, "1d" or "4h".
    anchored : bool
        Every train begins at the first bar.
    seed : int
    hyperparameters : path or mapping, optional
        Names and values; or their file, or the folder of the registry that has it.
    search : {name: values}, optional
        What `intrabar predict search` tries: a list, or a mapping with `low`, `high`, and maybe
        `log` and `whole`; what is usual for the forecaster where it is not given.
    timeout : seconds
        How long a session waits for a prediction.
    """

    forecaster: str = "lstm"
    features: str | list[str] = "predict/1"
    window: int = 64
    horizons: list[int] = [1]  # noqa: RUF012
    quantiles: list[float] = []  # noqa: RUF012
    train: int | str = "2y"
    refit: int | str = "1m"
    refit_lag: str = "1d"
    anchored: bool = False
    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    hyperparameters: str | dict[str, Any] | None = None
    search: dict[str, Any] | None = None
    timeout: float = Field(default=10.0, gt=0.0, le=3600.0)
