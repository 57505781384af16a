"""A run's report: the page, the files, and the links for people without an account."""

from __future__ import annotations

import re
from datetime import date
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST, require_safe

from otto_web.lib.access import Role, declares, role_required
from otto_web.lib.file_response import stream
from otto_web.lib.http import TeamRequest, respond
from otto_web.lib.uuids import as_uuid
from training_app.lm.config import ConfigError
from training_app.models import ReportLink, Run
from training_app.selectors.report import run_report
from training_app.selectors.report_markdown import report_markdown
from training_app.services.report_links import (
    MOST_DAYS,
    USUAL_DAYS,
    make_link,
    revoke_link,
    run_of_link,
    signed,
)

_ADDRESS = re.compile(r"url\([^)]*\)")
# what a report looks like without OTTO, in the order of its layers
STYLES = ("tokens", "base", "layout", "components", "tables", "pages", "above")


@role_required(Role.TRAINER)
@require_GET
def run_report_page(request: TeamRequest, run_id: UUID) -> HttpResponse:
    """Show the report of a run, and who can read it by a link."""
    run = _run(request, run_id)
    links = [
        (link, request.build_absolute_uri(reverse("report-open", args=[signed(link)])))
        for link in ReportLink.objects.open().filter(run=run).order_by("-created_at")
    ]
    return respond(
        request,
        page="training/run_report.html",
        fragment="training/_report.html",
        context={
            "report": run_report(run),
            "links": links,
            "usual_days": USUAL_DAYS,
            "most_days": MOST_DAYS,
        },
    )


@role_required(Role.TRAINER)
@require_safe
def report_html(request: TeamRequest, run_id: UUID) -> HttpResponseBase:
    """Send the report as one file that needs nothing else."""
    run = _run(request, run_id)
    context = {"report": run_report(run), "styles": _styles()}
    return _file(request, run, render_to_string("training/report_alone.html", context), "html")


@role_required(Role.TRAINER)
@require_safe
def report_md(request: TeamRequest, run_id: UUID) -> HttpResponseBase:
    """Send the report as Markdown."""
    run = _run(request, run_id)
    return _file(request, run, report_markdown(run_report(run)), "md")


@role_required(Role.TRAINER)
@require_POST
def report_link(request: TeamRequest, run_id: UUID) -> HttpResponse:
    """Make a link that opens the report without an account."""
    run = _run(request, run_id)
    days = request.POST.get("days", "")
    try:
        link = make_link(run, days=int(days) if days.isdecimal() else 0, by=request.user)
    except (ConfigError, ValueError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Whoever has the link reads this until {_day(link)}.")
    return redirect("run-report", run.pk)


@role_required(Role.TRAINER)
@require_POST
def report_unlink(request: TeamRequest, run_id: UUID) -> HttpResponse:
    """Take a link back."""
    run = _run(request, run_id)
    key = as_uuid(request.POST.get("link"))
    link = get_object_or_404(ReportLink.objects.open(), pk=key, run=run)
    revoke_link(link, by=request.user)
    messages.success(request, "The link is taken back: it opens nothing any more.")
    return redirect("run-report", run.pk)


@declares("public")
@require_GET
def report_open(request: HttpRequest, signature: str) -> HttpResponse:
    """Show a report to whoever has a link that still opens."""
    key = run_of_link(signature)
    if key is None:
        raise Http404("This link is not valid, or not any more.")
    run = get_object_or_404(Run.objects.select_related(*_RELATED), pk=key)
    answer = render(request, "training/report_alone.html", {"report": run_report(run)})
    answer["Cache-Control"] = "no-store"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    answer["Referrer-Policy"] = "no-referrer"
    return answer


_RELATED = ("version__dataset", "model", "start_model__run", "parent_run", "created_by")


def _run(request: TeamRequest, run_id: UUID) -> Run:
    runs = Run.objects.visible_to(request.user).select_related(*_RELATED)
    return get_object_or_404(runs, pk=run_id)


def _file(request: TeamRequest, run: Run, text: str, ending: str) -> HttpResponseBase:
    kinds = {"html": "text/html; charset=utf-8", "md": "text/markdown; charset=utf-8"}
    name = f"report-{slugify(run.name) or 'run'}.{ending}"
    return stream(request, iter([text]), of=run, name=name, kind=kinds[ending])


def _styles() -> SafeString:
    """Return the house's style sheets as one element; they are ours, so nothing is escaped."""
    folder = settings.BASE_DIR / "static" / "css"
    texts = [(folder / f"{name}.css").read_text("utf-8") for name in STYLES]
    alone = _ADDRESS.sub("none", "".join(texts))  # a file has no other file beside it
    return SafeString(f"<style>\n{alone}</style>")


def _day(link: ReportLink) -> date:
    return link.expires_at.date()
