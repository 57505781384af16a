#!/usr/bin/env python
"""OTTO's command line."""

from __future__ import annotations

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from otto_web.own_files import cannot_write

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "otto_web.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # its sentence says what to do; a traceback hides it
        sys.exit(f"OTTO cannot start: {error}")
    except OSError as error:
        if (sentence := cannot_write(error)) is None:
            raise
        sys.exit(f"OTTO cannot go on: {sentence}")
