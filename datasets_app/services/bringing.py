"""Pairs that the earlier pipeline made: brought in with their chunks."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction

from datasets_app.corpus.chunks.layout import ENDING as CHUNKS_ENDING
from datasets_app.corpus.pairs import layout
from datasets_app.models import Chunk, Dataset, GenerationItem, PairGeneration
from datasets_app.services.documents import bring_chunks
from otto_web.lib import audit
from otto_web.lib.hints import hint

BROUGHT = "brought"


def bring_pairs(
    dataset: Dataset, name: str, files: Sequence[tuple[str, bytes]], *, by: User | None
) -> PairGeneration:
    """Make chunks and an order of files in the earlier layout; a worker then writes their pairs.

    Places that a file states are kept where its texts agree with them, else found anew. Raises
    CorpusError, with the name of the file, for one that holds no pairs; then nothing is made.
    """
    read = [layout.read(data, file) for file, data in files]
    chunk_files = [
        (one.name.replace("/", "_") + CHUNKS_ENDING, layout.as_chunks(one)) for one in read
    ]
    made = bring_chunks(dataset, name, chunk_files, by=by)
    with transaction.atomic(durable=True):
        order = PairGeneration.objects.create(
            chunk_set=made,
            dataset=dataset,
            model=read[0].by or BROUGHT,
            recipes=[{"name": BROUGHT}],
            is_filled=True,
            created_by=by,
        )
        chunks = Chunk.objects.filter(document__chunk_set=made)
        places = {
            (document, number): pk
            for pk, document, number in chunks.values_list("pk", "document__number", "number")
        }
        GenerationItem.objects.bulk_create(
            GenerationItem(
                generation=order,
                chunk_id=places[document, number],
                asked=len(chunk.pairs),
                reply=json.dumps([{"question": q, "answer": a} for q, a in chunk.pairs]),
            )
            for document, one in enumerate(read, 1)
            for number, chunk in enumerate(one.chunks)
        )
        audit.record(by, "pairs.made", order, after={"by": order.by, "name": name})
        hint(PairGeneration.job, order.pk)
    return order
