"""`python -m intrabar` is `intrabar`."""

import sys


def main() -> None:
    """Entry point of the `intrabar` program."""
    if sys.argv[1:2] == ["health"]:  # asked for each few seconds: nothing else is loaded
        from intrabar.app.cli.health import in_haste

        code = in_haste(sys.argv[2:])
        if code is not None:
            sys.exit(code)
    from intrabar.app.cli import main as cli

    cli.main()


if __name__ == "__main__":
    main()
