#!/usr/bin/env python3
"""Django's command line for this project."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command named on the command line; an error that a person can mend is a sentence, not a traceback."""
    # Nothing that is loaded is garbage, and looking for it took a seventh of the start. atsite.apps enables it again.
    gc.disable()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atsite.settings")
    from django.core.management import execute_from_command_line

    from atsite.core.errors import AtsiteError, ConfigError

    try:
        execute_from_command_line(sys.argv)
    except ConfigError as error:
        sys.exit(f"configuration: {error}")
    except AtsiteError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
