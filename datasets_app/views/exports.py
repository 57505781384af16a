"""Rows as files: those of a version, and those that a table shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_safe

from datasets_app.corpus.layouts.layout import Row
from datasets_app.corpus.layouts.registry import LAYOUTS
from datasets_app.models import Dataset, Version
from datasets_app.selectors import downloads
from datasets_app.selectors.datasets import header
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.selectors.table import matching_rows
from datasets_app.views.datasets import find_dataset
from datasets_app.views.versions import find_version
from otto_web.lib.access import Role, role_required
from otto_web.lib.file_response import stream
from otto_web.lib.http import TeamRequest
from otto_web.lib.work.states import State


@role_required(Role.CURATOR)
@require_GET
def version_export(request: TeamRequest, version_id: UUID) -> HttpResponse:
    """Show a version's first rows in a layout, and offer the file."""
    version = find_version(request, version_id)
    if version.state != State.SUCCEEDED:
        raise Http404
    context = {
        **_chosen(request, downloads.rows_of_version(version)),
        "version": version,
        "dataset": version.dataset,
        "count": version.counts["rows"],
    }
    return render(request, "datasets/version_export.html", context)


@role_required(Role.CURATOR)
@require_GET
def dataset_export(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Show the first of the rows that match in a layout, and offer the file."""
    dataset = find_dataset(request, dataset_id)
    rows = RowFilter.from_query(request.GET)
    count = matching_rows(dataset, rows)
    context = {
        **header(dataset),
        **_chosen(request, downloads.rows_of_table(dataset, rows)),
        "filter": rows,
        "here": rows.query(),
        "count": count.number,
        "is_estimate": count.is_estimate,
    }
    return render(request, "datasets/dataset_export.html", context)


def _chosen(request: TeamRequest, rows: Iterator[Row]) -> dict[str, Any]:
    asked = request.GET.get("layout", "")
    name = asked if asked in LAYOUTS else next(iter(LAYOUTS))
    layout = LAYOUTS[name]
    sample = downloads.sample_of(layout, rows)
    return {"layouts": LAYOUTS, "layout_name": name, "layout": layout, "sample": sample}


@role_required(Role.CURATOR)
@require_safe
def version_download(request: TeamRequest, version_id: UUID, layout: str) -> HttpResponseBase:
    version = find_version(request, version_id)
    return _file(request, layout, downloads.rows_of_version(version), of=version)


@role_required(Role.CURATOR)
@require_safe
def dataset_download(request: TeamRequest, dataset_id: UUID, layout: str) -> HttpResponseBase:
    """Send all rows that match the filter of the address."""
    dataset = find_dataset(request, dataset_id)
    rows = downloads.rows_of_table(dataset, RowFilter.from_query(request.GET))
    return _file(request, layout, rows, of=dataset)


def _file(
    request: TeamRequest, name: str, rows: Iterator[Row], *, of: Version | Dataset
) -> HttpResponseBase:
    """Send the rows in the layout of this name; there is nothing under another one."""
    layout = LAYOUTS.get(name)
    if layout is None:
        raise Http404
    told = f"{of.name}.{layout.suffix}"
    return stream(request, layout.file(rows), of=of, name=told, kind=layout.content_type)
