"""Line icons on a 16 by 16 grid, drawn in the colour of the text beside them."""

from __future__ import annotations

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

RING = "M8 1.75a6.25 6.25 0 1 1 0 12.5a6.25 6.25 0 1 1 0-12.5z"
PATHS: dict[str, tuple[str, ...]] = {
    "home": ("M2 7.5 8 2.25l6 5.25", "M3.75 6.5v7.25h8.5V6.5", "M6.5 13.75V9.5h3v4.25"),
    "upload": ("M8 10.5V2.25", "M4.75 5.25 8 2l3.25 3.25", "M2.25 10.5v3.25h11.5V10.5"),
    "table": ("M2 2.75h12v10.5H2z", "M2 6.25h12", "M2 9.75h12", "M6.25 6.25v7"),
    "curve": ("M2.25 2v11.75H14", "M4.75 4.5c1 4 2.5 6 8.75 6.5"),
    "cube": ("M8 1.75 13.75 5v6L8 14.25 2.25 11V5z", "M2.5 5.1 8 8.25l5.5-3.15", "M8 8.25v6"),
    "chat": ("M2 2.75h12v8.5H7.25L4.25 14v-2.75H2z",),
    "list": (
        "M5.5 3.75H14",
        "M5.5 8H14",
        "M5.5 12.25H14",
        "M2 3.75h.75",
        "M2 8h.75",
        "M2 12.25h.75",
    ),
    "people": (
        "M6 8a2.6 2.6 0 1 0 0-5.2A2.6 2.6 0 0 0 6 8z",
        "M1.5 13.5c.3-2.4 2-3.75 4.5-3.75s4.2 1.35 4.5 3.75",
        "M10.75 7.75a2.3 2.3 0 0 0 0-4.5",
        "M12 10.1c1.5.5 2.3 1.6 2.5 3.4",
    ),
    "plug": ("M5.5 2v3.5", "M10.5 2v3.5", "M3.5 5.5h9V8a4.5 4.5 0 0 1-9 0z", "M8 12.5v2"),
    "pulse": ("M1.5 8.5h3l2-5.5 3 10 2-4.5h3",),
    "more": ("M3 8h.01", "M8 8h.01", "M13 8h.01"),
    "help": (RING, "M6 6.4c.1-1.2.9-1.9 2-1.9s2 .7 2 1.8c0 1.4-2 1.5-2 3", "M8 11.5h.01"),
    "person": (
        "M8 8a3 3 0 1 0 0-6a3 3 0 0 0 0 6z",
        "M2.25 14c.4-2.8 2.4-4.25 5.75-4.25S13.35 11.2 13.75 14",
    ),
    "down": ("M4 6.25 8 10.25l4-4",),
    "circle": (RING,),
    "part": (RING, "M8 4.75V8l2.5 1.75"),
    "check": ("M2.75 8.5 6.5 12.25l6.75-8",),
    "cross": ("M3.5 3.5l9 9", "M12.5 3.5l-9 9"),
    "slash": (RING, "M3.75 12.25l8.5-8.5"),
    "question": (
        "M5.25 5.25C5.4 3.4 6.5 2.5 8 2.5s2.75 1 2.75 2.6C10.75 7.2 8 7.3 8 9.75",
        "M8 13.25h.01",
    ),
    "dash": ("M3 8h10",),
    "alert": ("M8 1.75 14.75 13.5H1.25z", "M8 6v3.5", "M8 11.5h.01"),
    "thumb": (
        "M5.25 7.25 8 2.25c1 0 1.75.8 1.6 1.8l-.35 2.2h3.2c.9 0 1.5.8 1.3 1.6l-1 4.3",
        "M12.75 12.15c-.15.65-.7 1.1-1.3 1.1h-6.2v-6",
        "M5.25 7.25h-3v6h3",
    ),
    "alike": ("M2 6.25c2-2 4-2 6 0s4 2 6 0", "M2 10.75c2-2 4-2 6 0s4 2 6 0"),
    "diamond": ("M8 1.75 14.25 8 8 14.25 1.75 8z",),
}


def icon(name: str) -> SafeString:
    """Return the drawing as an SVG that screen readers pass over; the word stands beside it."""
    drawn = format_html_join("", '<path d="{}"/>', ((path,) for path in PATHS[name]))
    return format_html('<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">{}</svg>', drawn)
