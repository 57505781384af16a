"""What the topics of the help show."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

# by file in docs/examples: the programs of the page about programming, in its order
EXAMPLES = {
    "quality_rule": "A rule of quality",
    "layout": "A layout in which rows go out",
    "pattern": "A pattern that makes questions",
    "provider": "A kind of provider",
    "schedule": "A schedule of training",
}
TOPICS = ("quick_start", "loss", "web", "programming", "developing")


@dataclass(frozen=True, slots=True)
class Example:
    """A whole program."""

    name: str
    title: str
    code: str


def examples() -> list[Example]:
    """Return the programs as they stand in their files."""
    folder = settings.BASE_DIR / "docs" / "examples"
    return [
        Example(name, title, (folder / f"{name}.py").read_text("utf-8").rstrip())
        for name, title in EXAMPLES.items()
    ]
