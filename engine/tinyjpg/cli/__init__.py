"""The `tinyjpg` command."""

from tinyjpg.cli.app import main

__all__ = ["main"]
