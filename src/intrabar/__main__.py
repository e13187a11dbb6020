"""`python -m intrabar` is `intrabar`."""

import os
import subprocess
import sys

REPEATED = ("paper", "live", "parity")
"""Commands whose strategies must do tomorrow what they did today."""
SEED = "PYTHONHASHSEED"


def main() -> None:
    """Entry point of the `intrabar` program."""
    if sys.argv[1:2] == ["health"]:  # asked for each few seconds: nothing else is loaded
        from intrabar.app.cli.health import in_haste

        code = in_haste(sys.argv[2:])
        if code is not None:
            sys.exit(code)
    if sys.argv[1:2] and sys.argv[1] in REPEATED and os.environ.get(SEED) != "0":
        _begin_anew()
    from intrabar.app.cli import main as cli

    cli.main()


def _begin_anew() -> None:
    """Start again with one order of sets of text; Python draws another at each start."""
    environment = {**os.environ, SEED: "0"}
    command = [sys.executable, *sys.orig_argv[1:]]
    if sys.platform == "win32":  # where exec leaves the terminal to the shell
        sys.exit(subprocess.call(command, env=environment))
    os.execve(sys.executable, command, environment)


if __name__ == "__main__":
    main()
