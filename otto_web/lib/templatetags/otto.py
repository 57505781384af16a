"""What templates use to show states, numbers and times alike on every page."""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django import template
from django.template.loader_tags import BLOCK_CONTEXT_KEY
from django.utils import timezone
from django.utils.html import format_html, format_html_join, strip_tags
from django.utils.safestring import SafeString

from otto_web.lib import curves, icons, words

register = template.Library()
register.filter("clean", words.clean)
register.filter("filesize", words.filesize)
register.filter("duration", words.duration)
register.filter("about", words.about)
register.filter("count", words.count)
register.filter("figure", words.figure)
register.filter("short_count", words.short_count)
register.simple_tag(icons.icon, name="icon")
register.simple_tag(curves.curve_points, name="curve_points")


class Look(NamedTuple):
    """How a state is shown beside its word."""

    icon: str
    tone: str


QUEUED, RUNNING = Look("circle", "quiet"), Look("part", "info")
GOOD, BAD, WARN = Look("check", "good"), Look("cross", "bad"), Look("alert", "warn")
STOPPED, LEFT_OUT = Look("slash", "quiet"), Look("dash", "quiet")
ASK, DEPLOYED = Look("question", "warn"), Look("diamond", "info")
LOOKS: dict[str, Look] = {
    **dict.fromkeys(("queued", "draft", "idle", "unrated"), QUEUED),
    **dict.fromkeys(("running", "receiving", "reading", "busy", "writing", "live"), RUNNING),
    **dict.fromkeys(("succeeded", "kept", "ready", "loaded", "done", "good", "ok", "up"), GOOD),
    **dict.fromkeys(("active", "rated", "corrected", "keep"), GOOD),
    **dict.fromkeys(("failed", "fail", "bad", "down", "lost", "error", "critical"), BAD),
    **dict.fromkeys(
        ("waiting", "partial", "interrupted", "draining", "fair", "warn", "warning", "late", "low"),
        WARN,
    ),
    **dict.fromkeys(("cancelled", "stopped", "expired", "deactivated", "off", "revoked"), STOPPED),
    **dict.fromkeys(("excluded", "exclude", "skipped", "withdrawn", "deleted", "none"), LEFT_OUT),
    "review": ASK,
    "production": DEPLOYED,
    "deployed": DEPLOYED,
}


def state_badge(state: object, label: str = "") -> SafeString:
    """Return icon, word and colour of a state; `label` replaces the word, not the look."""
    word = str(getattr(state, "value", state) or "none")
    look = LOOKS.get(word, QUEUED)
    return format_html(
        '<span class="badge badge-{}">{}<span>{}</span></span>',
        look.tone,
        icons.icon(look.icon),
        label or word.replace("_", " "),
    )


def pieces(parts: Iterable[Any]) -> SafeString:
    """Return a text in its parts: what a rule objects to is a mark, what was sought a hit."""
    return format_html_join("", "{}", ((_piece(part),) for part in parts))


def _piece(part: Any) -> str:
    text = words.clean(part.text)
    if part.is_hit:
        return format_html('<mark class="hit{}">{}</mark>', " why" * part.is_marked, text)
    return format_html("<mark>{}</mark>", text) if part.is_marked else text


register.filter("pieces", pieces)
register.simple_tag(state_badge, name="state_badge")
register.filter("state_badge", state_badge)


@register.filter
def when(value: datetime | None) -> str:
    """Return a time that reads "2 min ago" in the viewer's browser, else date, time and zone."""
    if value is None:
        return words.UNKNOWN
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" title="{}" data-when>{}</time>',
        value.astimezone(UTC).isoformat(timespec="seconds"),
        f"{local:%A, %d %B %Y, %H:%M:%S %Z}",
        f"{local:%d %b %Y, %H:%M %Z}",
    )


@register.simple_tag(takes_context=True)
def title_text(context: template.Context) -> str:
    """Return the page's block `title` once more, as plain text for the browser's tab."""
    block = context.render_context[BLOCK_CONTEXT_KEY].get_block("title")
    return html.unescape(strip_tags(block.render(context))).strip() if block else ""
