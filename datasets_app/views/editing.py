"""The words of a row in fields: changed, split, joined, or written anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, CorpusError, Turn
from datasets_app.corpus.conversation import from_json as conversation_from
from datasets_app.corpus.difference import turn_differences
from datasets_app.forms.editing import MOST_TURNS, Written, role_choices, written
from datasets_app.models import Action, Dataset
from datasets_app.models import Conversation as Row
from datasets_app.selectors.conversations import conversation_page
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.services import editing
from datasets_app.services.editing import EditedMeanwhileError, Seen
from datasets_app.views.datasets import find_dataset
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond

BLANK = Conversation((Turn(USER, ""), Turn(ASSISTANT, "")))
TOO_LONG = (
    f"This conversation has more than {MOST_TURNS} turns, too many for fields on one page. Exclude "
    "it and upload the part you want, shortened."
)
ROWS_CHANGED = "otto:rows-changed"


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def row_edit(request: TeamRequest, dataset_id: UUID, number: int) -> HttpResponse:
    """Show the turns of a row in fields, and take what was written into them."""
    dataset = find_dataset(request, dataset_id)
    row = get_object_or_404(dataset.conversations.all(), pk=number)
    stored = conversation_from(row.turns)
    if len(stored.turns) > MOST_TURNS:
        return _fields(request, dataset, row, Conversation(()), error=TOO_LONG, status=422)
    if request.method == "GET":
        return _fields(request, dataset, row, stored, **_suggested(request, stored))
    sent = written(request.POST, stored.turns)
    if sent.asked in {"add", "remove"}:
        place = sent.place + 1 if sent.asked == "add" else max(0, sent.place - 1)
        shown: dict[str, Any] = {"revision": sent.revision, "focus": place}
        return _fields(request, dataset, row, sent.rearranged, **shown)
    if sent.asked == "look":
        differences = turn_differences(stored, sent.conversation)
        shown = {"revision": sent.revision, "differences": differences, "is_look": True}
        return _fields(request, dataset, row, sent.conversation, **shown)
    return _carry_out(request, dataset, row, sent)


def _suggested(request: TeamRequest, stored: Conversation) -> dict[str, Any]:
    """Return the fields with the answer that the address suggests, and what it would change.

    Only where the row has one answer: with several nobody knows which of them is meant.
    """
    answer = request.GET.get("answer", "").replace("\0", "").strip()
    places = [place for place, turn in enumerate(stored.turns) if turn.role == ASSISTANT]
    if not answer or len(places) != 1:
        return {}
    turns = list(stored.turns)
    turns[places[0]] = replace(turns[places[0]], text=answer)
    differences = turn_differences(stored, replace(stored, turns=tuple(turns)))
    return {"turns": turns, "differences": differences, "is_look": True, "focus": places[0]}


def _carry_out(request: TeamRequest, dataset: Dataset, row: Row, sent: Written) -> HttpResponse:
    try:
        action = _ask(dataset, row, sent, request)
    except EditedMeanwhileError as error:
        now = conversation_from(error.row.turns)
        if error.row.pk != row.pk:  # the following one: it is shown as it is now
            now = conversation_from(row.turns)
        shown: dict[str, Any] = {"revision": row.revision, "stored": now.turns}
        differences = turn_differences(now, sent.conversation)
        shown |= {"differences": differences, "error": str(error), "status": 422}
        return _fields(request, dataset, row, sent.conversation, **shown)
    except CorpusError as error:
        shown = {"revision": sent.revision, "error": str(error), "status": 422}
        return _fields(request, dataset, row, sent.conversation, **shown)
    if action is None:
        messages.info(request, "Nothing was changed: this is what is stored already.")
    else:
        messages.success(request, f"{action.title}.")
    return _shown(request, dataset, row.pk)


def _ask(dataset: Dataset, row: Row, sent: Written, request: TeamRequest) -> Action | None:
    seen = Seen(row.pk, sent.revision)
    if sent.asked == "split":
        return editing.split_row(dataset, seen, sent.conversation, sent.place, by=request.user)
    if sent.asked == "join":
        if sent.following is None:
            raise CorpusError("No conversation follows here that could be joined.")
        following = Seen(*sent.following)
        return editing.join_rows(dataset, seen, sent.conversation, following, by=request.user)
    return editing.edit_row(dataset, seen, sent.conversation, by=request.user)


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def row_write(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Take a conversation that a person writes."""
    dataset = find_dataset(request, dataset_id)
    if request.method == "GET":
        return _fields(request, dataset, None, BLANK, key=uuid4().hex)
    sent = written(request.POST)
    key = sent.key or uuid4().hex
    if sent.asked in {"add", "remove"}:
        return _fields(request, dataset, None, sent.rearranged, key=key, focus=sent.place + 1)
    try:
        made = editing.write_row(dataset, sent.conversation, key, by=request.user)
    except CorpusError as error:
        shown: dict[str, Any] = {"key": key, "error": str(error), "status": 422}
        return _fields(request, dataset, None, sent.conversation, **shown)
    messages.success(request, f"Conversation {made.position:,} written. It is {made.status}.")
    return _shown(request, dataset, made.pk)


def _shown(request: TeamRequest, dataset: Dataset, pk: int) -> HttpResponse:
    """Show the row as it is now, and let the table beside it be read again."""
    if not request.htmx:
        query = RowFilter.from_query(request.GET)
        address = reverse("conversation-detail", args=[dataset.pk, pk])
        return redirect(f"{address}?{query.here}")
    row = dataset.conversations.select_related("source_file", "decided_by").get(pk=pk)
    answer = respond(
        request,
        page="datasets/conversation_detail.html",
        fragment="datasets/_conversation.html",
        context=conversation_page(dataset, row, RowFilter.from_query(request.GET)),
    )
    answer["HX-Trigger-After-Settle"] = ROWS_CHANGED
    return answer


def _fields(
    request: HttpRequest,
    dataset: Dataset,
    row: Row | None,
    conversation: Conversation,
    *,
    status: int = 200,
    **shown: Any,
) -> HttpResponse:
    rows = RowFilter.from_query(request.GET)
    following = None
    if row is not None:
        following = dataset.conversations.filter(pk=rows.neighbours(row)["following"] or 0).first()
    context = {
        "dataset": dataset,
        "row": row,
        "turns": conversation.turns,
        "roles": role_choices(conversation),
        "following": following,
        "here": rows.here,
        "focus": 0,
        "revision": row.revision if row else 0,
        **shown,
    }
    return respond(
        request,
        page="datasets/row_edit.html",
        fragment="datasets/_row_edit.html",
        context=context,
        status=status,
    )
