"""A report as Markdown, for a wiki or a ticket."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from otto_web.lib.words import clean, count, duration, figure, short_count
from training_app.selectors.report import Report

_SIGNS = re.compile(r"([\\`*_{}\[\]<>#|~])")


def report_markdown(report: Report) -> str:
    """Return the report; what people or models wrote stands in it as plain text."""
    run, version = report.run, report.run.version
    parts = [
        f"# {_text(run.name)}",
        f"{run.state} · {_text(str(version))} · {report.made_at:%F %R} UTC",
        "## Verdict",
        *(f"- **{_text(one.cause)}** {_text(one.step)}" for one in report.findings),
        _text(report.verdict),
        *_compared(report),
        "## Data",
        _table(("split", "conversations"), [(split, count(rows)) for split, rows in report.rows]),
        f"Not in the version: {count(report.dropped)}. Leakage: {_leakage(report)}.",
        f"Version {version.manifest_sha256}.",
        "## Figures",
        _table(("figure", "value"), _figures(report)),
        "## Course",
        _course(report),
        "## Answers",
        _answers(report),
        "## Settings",
        *(
            _table((title, "value"), [(name, figure(value)) for name, value in pairs])
            for title, pairs in report.groups
        ),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _leakage(report: Report) -> str:
    return "not measured" if report.leaked is None else f"{report.leaked:.0f} %"


def _compared(report: Report) -> list[str]:
    if report.before is None:
        return []
    said = [report.before.sentence, report.before.texts]
    name = _text(report.before.first.run.name)
    return [f"Against A, {name}, from which it (B) goes on: {_text(' '.join(filter(None, said)))}"]


def _figures(report: Report) -> list[tuple[str, Any]]:
    found = report.evaluation
    return [
        ("answers right", f"{found.answers.right} of {found.answers.total}" if found else "–"),
        ("bits per byte", _number(found.bits_per_byte if found else None)),
        ("perplexity", _number(found.perplexity if found else None)),
        ("parameters", short_count(report.model.params if report.model else None)),
        ("steps", count(report.run.last_step)),
        ("tokens seen", short_count(report.tokens)),
        ("time", duration(report.elapsed)),
        ("cores busy", _number(report.cores)),
    ]


def _course(report: Report) -> str:
    rows = [(count(step), _number(trained), _number(held)) for step, trained, held in report.steps]
    return _table(("step", "training loss", "validation loss"), rows)


def _answers(report: Report) -> str:
    rows = [
        (one.sample.prompt, one.sample.reply, one.sample.reference, one.outcome)
        for one in report.replies
    ]
    return _table(("question", "its reply", "the real one", "outcome"), rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    if not rows:
        return ""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(_cell(one) for one in line)} |" for line in lines)


def _cell(value: Any) -> str:
    return "---" if value == "---" else _text(value) or "–"


def _text(value: Any) -> str:
    """Return words on one line in which no sign means anything."""
    return _SIGNS.sub(r"\\\1", " ".join(clean(value).split()))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
