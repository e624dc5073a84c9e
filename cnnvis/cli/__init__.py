"""The command line: `cnnvis <verb>`, one lazily imported file per verb."""

from cnnvis.cli._app import main, run

__all__ = ["main", "run"]
