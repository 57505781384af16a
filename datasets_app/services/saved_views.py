"""Views of a table: naming the present one, giving it another name, sharing it, removing it."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from datasets_app.corpus.conversation import CorpusError
from datasets_app.models import Dataset, SavedView
from datasets_app.selectors.row_filter import RowFilter

MOST_VIEWS = 100  # of one person in one dataset


def save_view(
    dataset: Dataset, name: str, rows: RowFilter, *, is_shared: bool, by: User
) -> SavedView:
    """Keep the filter, order and columns under a name; a name that one has already is refused."""
    if dataset.views.filter(owner=by).count() >= MOST_VIEWS:
        raise CorpusError(f"You have {MOST_VIEWS} views here. Delete one before you save another.")
    view = SavedView(dataset=dataset, owner=by, name=name, query=rows.query(), is_shared=is_shared)
    return _stored(view)


def change_view(view: SavedView, *, name: str, is_shared: bool) -> SavedView:
    view.name, view.is_shared = name, is_shared
    return _stored(view)


def _stored(view: SavedView) -> SavedView:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError as error:
        raise CorpusError(
            f"You have a view called “{view.name}” here already. Choose another name."
        ) from error
    return view
