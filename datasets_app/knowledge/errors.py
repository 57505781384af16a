"""What can be wrong with knowledge, as a sentence for a person."""

from __future__ import annotations


class KnowledgeError(Exception):
    """Something about knowledge or its encoder that a team member can read and act on."""
