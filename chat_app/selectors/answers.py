"""An answer in figures, the same for the socket, the stream and the row."""

from __future__ import annotations

from typing import Any

from chat_app.models import Generation


def figures_of(generation: Generation) -> dict[str, Any]:
    """Return the frame's figures of a finished answer."""
    return {
        "state": generation.state,
        "finish": generation.finish,
        "message": generation.message,
        "timings": generation.timings,
        "dropped": generation.dropped_turns,
    }
