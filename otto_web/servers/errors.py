"""What can go wrong with the servers that OTTO starts itself."""

from __future__ import annotations


class ServersError(Exception):
    """A server cannot be found, started or reached; the message says what to do."""
