"""Cuts the documents of a set, one after the other; each is whole in the database or not there."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from datasets_app.corpus.chunks.cutting import cut
from datasets_app.corpus.chunks.settings import Settings
from datasets_app.corpus.chunks.texts import text_of
from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection.kinds import Identified, identify
from datasets_app.corpus.limited.run import ChildError
from datasets_app.jobs.faults import DiskFullError
from datasets_app.jobs.unpacking import stop_flag
from datasets_app.models import ChunkSet, Document
from datasets_app.models.blob import blob_path
from datasets_app.models.reasons import sentence
from datasets_app.selectors.documents import tokenizer_file
from datasets_app.services import documents
from otto_web.lib.failpoints import failpoint
from otto_web.lib.work.claims import LostLease
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from otto_web.lib.work.turns import give_way

TURN_SECONDS = 20.0  # then others may have the worker
DISK_FULL = "disk_full"
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Watch:
    """The time that one document may take; `touch` raises when it is over, or the lease is."""

    lease: Lease
    began: float
    most: float

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def touch(self) -> None:
        self.lease.touch()
        if self.seconds > self.most:
            raise CorpusError(
                f"Reading it took longer than {self.most:g} seconds, so it was passed over."
            )


def chunk_documents(set_id: UUID | str, seconds: float = TURN_SECONDS) -> None:
    """Cut for a while, then let others have the worker; harmless when nothing is ordered."""
    end = time.monotonic() + seconds

    def work(order: ChunkSet, lease: Lease) -> None:
        if order.dataset.deleted_at is not None:
            raise CorpusError("The dataset was deleted before its documents could be cut.")
        while document := documents.next_document(order):
            failpoint("chunks.next_document")
            if documents.begin_document(order, document):
                _cut_document(order, document, lease)
            if time.monotonic() > end:
                give_way(order)
                return
        documents.end_set(order)

    perform(ChunkSet, set_id, work, refusals=(CorpusError,))


def _cut_document(order: ChunkSet, document: Document, lease: Lease) -> None:
    """Cut one document, or say why it cannot be: no document stops the others."""
    if documents.copy_earlier(order, document):
        return
    watch = Watch(lease, time.monotonic(), settings.OTTO_DOCUMENT_SECONDS)
    try:
        made = _made(order, document, watch)
    except ChildError as error:
        if error.code == DISK_FULL:
            raise DiskFullError from error
        documents.fail_document(order, document, str(error), seconds=watch.seconds)
    except CorpusError as error:
        documents.fail_document(order, document, str(error), seconds=watch.seconds)
    except (LostLease, OSError):
        raise
    except Exception:
        log.exception("document %s could not be cut", document.pk)
        why = sentence("own_fault")
        documents.fail_document(order, document, why, seconds=watch.seconds)
    else:
        documents.keep_chunks(order, document, made)


def _made(order: ChunkSet, document: Document, watch: Watch) -> documents.Made:
    path = blob_path(document.sha256)
    if not path.exists():
        raise CorpusError(sentence("bytes_lost"))
    found = _identified(document)
    watch.touch()
    text = text_of(path, found, should_stop=stop_flag(watch.touch), seconds=watch.most)
    how = Settings.from_json(order.settings)
    cuts = cut(text.text, how, text.headings, tokenizer=tokenizer_file(how), touch=watch.touch)
    return documents.Made(text, cuts, found.kind, watch.seconds)


def _identified(document: Document) -> Identified:
    return identify(blob_path(document.sha256), document.name, encoding=document.encoding)
