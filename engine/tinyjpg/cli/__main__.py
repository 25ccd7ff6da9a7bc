"""`python -m tinyjpg.cli` is the `tinyjpg` command."""

from tinyjpg.cli import main

main()
