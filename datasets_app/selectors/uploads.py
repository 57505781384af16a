"""What the pages of uploads show, with a fixed number of queries each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.postgres.aggregates import StringAgg
from django.db.models import (
    Aggregate,
    Count,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextField,
    Value,
)
from django.db.models.functions import Coalesce

from datasets_app.corpus.formats.registry import archive_endings, archive_kinds, readable_endings
from datasets_app.models import (
    BROKEN_OFF,
    Dataset,
    FileState,
    SourceFile,
    Upload,
    reasons,
)
from datasets_app.models.reasons import GATHERED
from datasets_app.selectors.files import kind_in_words, kinds_in_words, parts_in_words
from datasets_app.selectors.joining import JOINED_KINDS
from datasets_app.selectors.passages import passage_files

PAGE_SIZE = 50
SHOWN_FILES = 2_000
# The operating system's own helper files are nothing that anybody misses.
PASSED_OVER = Q(verdict=FileState.SKIPPED) & ~Q(reason__in=("junk", GATHERED))
_KINDS = StringAgg("kind", delimiter=", ", distinct=True, filter=PASSED_OVER & ~Q(kind=""))


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
    def kind(self) -> str:
        return kind_in_words(self.file)

    @property
    def parts(self) -> str:
        return parts_in_words(self.file)

    @property
    def records(self) -> int:
        return self.file.n_records + sum(member.records for member in self.members)

    @property
    def issues(self) -> int:
        return self.file.n_issues + sum(member.issues for member in self.members)


def drop_zone(user: User) -> dict[str, Any]:
    """Return the kinds, the limits and the datasets that a new upload may go to."""
    return {
        "kinds": readable_endings(),
        "archives": archive_endings(),
        "limit": settings.OTTO_UPLOAD_LIMIT_BYTES,
        "chunk": settings.OTTO_CHUNK_BYTES,
        "has_folders": bool(settings.OTTO_SERVER_FOLDERS),
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
        asks=Subquery(_waiting().values("pk")[:1]),
        n_failed=_over_files(Count("pk", filter=Q(verdict=FileState.FAILED))),
        n_skipped=_over_files(Count("pk", filter=PASSED_OVER)),
        skipped_kinds=_over_files(_KINDS, Value("", TextField())),
    )
    return counted.order_by("-created_at")


def _waiting() -> QuerySet[SourceFile]:
    """Return the files of the upload around it that wait for an answer, the first one first."""
    waiting = SourceFile.objects.filter(upload=OuterRef("pk"), verdict=FileState.WAITING)
    return waiting.order_by("depth", "member_no")


def _over_files(figure: Aggregate, nothing: Value | None = None) -> Coalesce:
    files = SourceFile.objects.filter(upload=OuterRef("pk")).order_by().values("upload")
    return Coalesce(Subquery(files.annotate(figure=figure).values("figure")), nothing or Value(0))


def is_moving(uploads: Iterable[Upload]) -> bool:
    """Say whether a page that shows these should look again soon."""
    return any(upload.is_under_way for upload in uploads)


def name_kinds(uploads: Iterable[Upload]) -> None:
    """Let the uploads of a page say in words what was skipped of them."""
    for upload in uploads:
        vars(upload)["skipped_kinds"] = kinds_in_words(vars(upload)["skipped_kinds"])


def upload_figures(upload: Upload) -> dict[str, Any]:
    """Return the sums over an upload's files."""
    found: dict[str, Any] = upload.files.aggregate(
        records=Sum("n_records", default=0),
        issues=Sum("n_issues", default=0),
        known=Sum("n_known", default=0),
        waiting=Count("pk", filter=Q(verdict=FileState.WAITING)),
        loaded=Count("pk", filter=Q(verdict=FileState.LOADED) & ~Q(kind__in=archive_kinds())),
        skipped=Count("pk", filter=PASSED_OVER),
        skipped_kinds=_KINDS,
        failed=Count("pk", filter=Q(verdict=FileState.FAILED)),
        queued=Count("pk", filter=Q(verdict=FileState.QUEUED)),
        broken_off=Count("pk", filter=BROKEN_OFF),
    )
    return {**found, "skipped_kinds": kinds_in_words(found["skipped_kinds"] or "")}


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
        "has_passages": passage_files(upload).exists(),
        "has_tables": sum(file.kind in JOINED_KINDS for file in files) > 1,
        "is_moving": upload.is_under_way,
    }


def _bytes_read(files: list[SourceFile]) -> dict[str, int]:
    """Return how far the reading is, counted on files that hold no others."""
    parents = {file.parent_id for file in files}
    leaves = [file for file in files if file.pk not in parents]
    done = sum(file.n_total if file.verdict == FileState.QUEUED else file.size for file in leaves)
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
