"""`python -m intrabar` is `intrabar`."""

from intrabar.app.cli.main import main

main()
