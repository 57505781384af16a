"""What the pages about uploads and files show, with a fixed number of queries each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Aggregate, Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from datasets_app.corpus.detection.kind_names import SHOWN, SHOWN_ARCHIVES
from datasets_app.corpus.readers import registry
from datasets_app.corpus.source import Mapping
from datasets_app.models import (
    BROKEN_OFF,
    Conversation,
    Dataset,
    FileState,
    Issue,
    SourceFile,
    Upload,
    VersionRow,
    reasons,
)
from datasets_app.models.blob import blob_path, read_slice
from datasets_app.models.reasons import GOOD_MEMBER
from datasets_app.selectors.origin_keys import current_rows

PAGE_SIZE = 50
SHOWN_FILES = 2_000
SHOWN_ISSUES = 200
EXAMPLES = 10
BYTES_AROUND = 120


@dataclass(slots=True)
class FileNode:
    """A file of an upload's tree with what lies inside it."""

    file: SourceFile
    level: int
    members: list[FileNode] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        return self.file.note or reasons.sentence(self.file.reason)

    @property
    def records(self) -> int:
        return self.file.n_records + sum(member.records for member in self.members)

    @property
    def issues(self) -> int:
        return self.file.n_issues + sum(member.issues for member in self.members)


@dataclass(frozen=True, slots=True)
class DeletionSummary:
    """What a removal takes away: conversations that go, and those a version keeps."""

    going: int
    staying: int
    decided: int = 0  # of those that go


def drop_zone(user: User) -> dict[str, Any]:
    """Return the kinds, the limits and the datasets that a new upload may go to."""
    return {
        "kinds": SHOWN,
        "archives": SHOWN_ARCHIVES,
        "limit": settings.OTTO_UPLOAD_LIMIT_BYTES,
        "chunk": settings.OTTO_CHUNK_BYTES,
        "datasets": Dataset.objects.visible_to(user).filter(deleted_at=None).order_by("name"),
    }


def upload_list(user: User, search: str) -> QuerySet[Upload]:
    """Return the newest uploads whose name, or a file inside them, has the searched text.

    The sums over files are asked for per upload, so only for those that a page shows.
    """
    found = Upload.objects.visible_to(user).shown().select_related("dataset", "created_by")
    if search:
        inside = SourceFile.objects.filter(upload=OuterRef("pk"), name__icontains=search)
        found = found.filter(Q(name__icontains=search) | Exists(inside))
    counted: QuerySet[Upload] = found.annotate(
        n_records=_over_files(Sum("n_records")),
        n_issues=_over_files(Sum("n_issues")),
        n_waiting=_over_files(Count("pk", filter=Q(verdict=FileState.WAITING))),
        n_failed=_over_files(Count("pk", filter=Q(verdict=FileState.FAILED))),
    )
    return counted.order_by("-created_at")


def _over_files(figure: Aggregate) -> Coalesce:
    files = SourceFile.objects.filter(upload=OuterRef("pk")).order_by().values("upload")
    return Coalesce(Subquery(files.annotate(figure=figure).values("figure")), 0)


def is_moving(uploads: Iterable[Upload]) -> bool:
    """Say whether a page that shows these should look again soon."""
    return any(upload.is_under_way for upload in uploads)


def upload_figures(upload: Upload) -> dict[str, int]:
    """Return the sums over an upload's files."""
    found: dict[str, int] = upload.files.aggregate(
        records=Sum("n_records", default=0),
        issues=Sum("n_issues", default=0),
        known=Sum("n_known", default=0),
        waiting=Count("pk", filter=Q(verdict=FileState.WAITING)),
        loaded=Count("pk", filter=Q(verdict=FileState.LOADED)),
        skipped=Count("pk", filter=Q(verdict=FileState.SKIPPED)),
        failed=Count("pk", filter=Q(verdict=FileState.FAILED)),
        pending=Count("pk", filter=Q(verdict=FileState.PENDING)),
        broken_off=Count("pk", filter=BROKEN_OFF),
    )
    return found


def upload_page(upload: Upload, *, only_unloaded: bool) -> dict[str, Any]:
    """Return the tree of an upload with its sums."""
    files = list(upload.files.order_by("depth", "member_no")[:SHOWN_FILES])
    figures = upload_figures(upload)
    root = next((file for file in files if file.parent_id is None), None)
    return {
        "upload": upload,
        "reason": upload.sentence,
        "root": root,
        "rows": list(_flat(_tree(files), only_unloaded=only_unloaded)),
        "more_files": max(0, upload.files.count() - len(files)),
        "figures": figures,
        "read": _bytes_read(files),
        "only_unloaded": only_unloaded,
        "is_moving": upload.is_under_way,
    }


def _bytes_read(files: list[SourceFile]) -> dict[str, int]:
    """Return how far the reading is, counted on files that hold no others."""
    parents = {file.parent_id for file in files}
    leaves = [file for file in files if file.pk not in parents]
    done = sum(file.n_total if file.verdict == FileState.PENDING else file.size for file in leaves)
    return {"done": done, "total": sum(file.size for file in leaves)}


def _tree(files: list[SourceFile]) -> list[FileNode]:
    nodes = {file.pk: FileNode(file, file.depth) for file in files}
    roots: list[FileNode] = []
    for file in files:
        node = nodes[file.pk]
        above = nodes.get(file.parent_id) if file.parent_id else None
        (above.members if above else roots).append(node)
    return roots


def _flat(nodes: list[FileNode], *, only_unloaded: bool) -> Iterable[FileNode]:
    for node in nodes:
        inside = list(_flat(node.members, only_unloaded=only_unloaded))
        if inside or not only_unloaded or node.file.verdict != FileState.LOADED:
            yield node
        yield from inside


def file_page(file: SourceFile) -> dict[str, Any]:
    """Return everything the page of one file shows."""
    issues = list(file.issues.order_by("start", "pk")[:SHOWN_ISSUES])
    return {
        "file": file,
        "upload": file.upload,
        "reason": file.note or reasons.sentence(file.reason),
        "codes": [
            (reasons.sentence(code), count)
            for code, count in file.issues.values_list("code").annotate(n=Count("pk"))
        ],
        "issues": [(issue, raw_around(file, issue)) for issue in issues],
        "more_issues": max(0, file.n_issues - len(issues)),
        "has_other_columns": has_other_columns(file),
        "examples": list(current_rows(file).order_by("position")[:EXAMPLES]),
        "sums": (
            ("loaded", file.n_loaded),
            ("skipped", file.n_skipped),
            ("failed", file.n_failed),
            *([("not read", file.size - file.n_total)] if file.n_total < file.size else ()),
        ),
        "whole": file.members.filter(verdict=FileState.WAITING, reason=GOOD_MEMBER).count(),
        "alike": files_alike(file).count() if file.verdict == FileState.WAITING else 0,
    }


def files_alike(file: SourceFile) -> QuerySet[SourceFile]:
    """Return other files of the upload that wait for the same choice."""
    waiting = SourceFile.objects.filter(upload=file.upload, verdict=FileState.WAITING)
    asked = file.waiting_for or {}
    same = waiting.filter(reason=file.reason, waiting_for__columns=asked.get("columns"))
    found: QuerySet[SourceFile] = same.exclude(pk=file.pk)
    return found


def raw_around(file: SourceFile, issue: Issue) -> tuple[str, str, str]:
    """Return the bytes before, in and behind an issue, as text to look at."""
    if file.blob_id is None:
        return "", issue.sample, ""
    start = max(0, issue.start - BYTES_AROUND)
    data = read_slice(file.blob_id, start, issue.start - start + 3 * BYTES_AROUND)
    cut, end = issue.start - start, min(issue.end - start, issue.start - start + 2 * BYTES_AROUND)
    return _shown(data[:cut]), _shown(data[cut:end]), _shown(data[end : end + BYTES_AROUND])


def _shown(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def deletion_summary(upload: Upload) -> DeletionSummary:
    """Count what deleting the upload would take away."""
    return _summary_of(Conversation.objects.filter(source_file__upload=upload))


def _summary_of(rows: QuerySet[Conversation]) -> DeletionSummary:
    going = ~Exists(VersionRow.objects.filter(conversation=OuterRef("pk")))
    counted = rows.aggregate(
        all=Count("pk"),
        going=Count("pk", filter=going),
        decided=Count("pk", filter=going & Q(decision__isnull=False)),
    )
    staying = counted["all"] - counted["going"]
    return DeletionSummary(counted["going"], staying, counted["decided"])


def has_other_columns(file: SourceFile) -> bool:
    """Say whether the file is a table that was read and may be read under another mapping."""
    read = SourceFile.objects.at_rest().filter(pk=file.pk)
    return registry.has_columns(file.kind) and read.exists()


def columns_page(file: SourceFile) -> dict[str, Any] | None:
    """Return what choosing a table's columns again shows; None when there is no choice."""
    if not has_other_columns(file):
        return None
    stored = file.mapping if file.verdict == FileState.LOADED else None
    mapping = Mapping.from_json(stored) if stored else None
    path, encoding = blob_path(str(file.blob_id)), file.chosen_encoding or None
    asked = registry.columns_of(path, mapping=mapping, encoding=encoding)
    if asked is None:
        return None
    loss = _summary_of(current_rows(file))
    return {"file": file, "upload": file.upload, "asked": asdict(asked), "loss": loss}
