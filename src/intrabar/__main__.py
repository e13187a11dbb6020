"""`python -m intrabar` is `intrabar`."""

from intrabar.app.cli import main

main()
