"""Titles of pages, and how little of them is read."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone

from datasets_app.corpus.conversation import passage
from datasets_app.models import Chunk, ChunkSet, Conversation, Document, Pair, SourceFile, Upload
from datasets_app.selectors.origin_titles import Place, places_of
from datasets_app.services.datasets import create_dataset
from otto_web.lib.work.states import State
from tests.datasets_app.makers import add, pair

pytestmark = [pytest.mark.django_db(transaction=True)]
PASSAGES = 20


def test_of_each_page_one_passage_tells_the_title_of_its_pairs(cora):
    made = create_dataset("Pages", by=cora)
    upload = Upload.objects.create(name="pages.zip", dataset=made, created_by=cora, size=1)
    done = {"state": State.SUCCEEDED, "finished_at": timezone.now()}
    cut = ChunkSet.objects.create(dataset=made, name="Set", settings={}, **done)
    pairs = [pair(f"Where is desk {n}?", f"Desk {n} is in room {n} upstairs.") for n in range(3)]
    texts = [passage(f"Passage {n} says where desk {n} is.") for n in range(2 * PASSAGES)]
    add(made, [*texts, *pairs])
    passages = made.conversations.filter(is_passage=True)
    asked = list(made.conversations.filter(is_passage=False).order_by("position"))
    for number, row in enumerate(asked):
        file = SourceFile.objects.create(upload=upload, member_no=number, name=f"page {number}.md")
        if number < 2:  # the last one was never imported
            own = passages.order_by("position")[number * PASSAGES :][:PASSAGES]
            meta = {"front_matter": {"title": f"Desks {number}"}}
            Conversation.objects.filter(pk__in=list(own.values_list("pk", flat=True))).update(
                source_file=file, meta=meta
            )
        told = {"number": number + 1, "name": file.name, "text": "Desks."}
        page = Document.objects.create(chunk_set=cut, source_file=file, **told)
        chunk = Chunk.objects.create(document=page, number=0, start=0, end=6, headings=["Rooms"])
        Pair.objects.create(conversation=row, chunk=chunk)
    read = []

    def counting(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        read.append(context["cursor"].rowcount)
        return result

    with connection.execute_wrapper(counting):
        found = places_of([row.pk for row in asked])
    titles = ["Desks 0", "Desks 1", "page 2"]
    assert found == {
        row.pk: Place(title, ("Rooms",)) for row, title in zip(asked, titles, strict=True)
    }
    assert sum(read) <= 3 * len(asked)
