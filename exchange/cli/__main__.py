"""`python -m exchange.cli`: the command line without its script."""

from exchange.cli.app import main

main()
