"""The file formats, in the order in which a text is asked for each of them."""

from __future__ import annotations

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.formats import (
    archived,
    chatml,
    code,
    docx,
    html,
    json_values,
    jsonl,
    mail,
    markdown,
    ods,
    odt,
    own_table,
    own_text,
    parquet,
    pdf,
    refused,
    rst,
    subtitles,
    table,
    transcript,
    txt,
    xlsx,
    xml,
    yaml,
)
from datasets_app.corpus.formats.format import Format, Reader

FORMATS: dict[str, Format] = {
    found.kind: found
    for found in (
        xlsx.FORMAT,
        xlsx.SHEET,
        ods.FORMAT,
        ods.SHEET,
        docx.FORMAT,
        odt.FORMAT,
        pdf.FORMAT,
        parquet.FORMAT,
        own_table.FORMAT,
        own_text.FORMAT,
        chatml.FORMAT,
        jsonl.FORMAT,
        json_values.FORMAT,
        html.SAVED,
        mail.MBOX,
        mail.EML,
        html.FORMAT,
        *refused.FORMATS,
        code.FORMAT,
        xml.FORMAT,
        yaml.FORMAT,
        subtitles.FORMAT,
        transcript.FORMAT,
        table.CSV,
        table.TSV,
        markdown.FORMAT,
        rst.FORMAT,
        txt.FORMAT,  # takes whatever is left
        *archived.FORMATS,
    )
}


def reader_of(kind: str) -> Reader:
    """Return what reads a kind; raises CorpusError, with the next step, where nothing does."""
    found = FORMATS[kind]
    if found.reader is None:
        raise CorpusError(found.refusal or "Its files are read one by one.")
    return found.reader


def has_columns(kind: str) -> bool:
    """Say whether files of this kind are always read under a mapping of their columns."""
    found = FORMATS.get(kind)
    return found is not None and found.reader is not None and found.reader.is_table


def is_raw(kind: str) -> bool:
    """Say whether a file of this kind has no encoding as a whole."""
    found = FORMATS.get(kind)
    return found is not None and found.reader is not None and found.reader.is_raw


def readable_endings() -> tuple[str, ...]:
    """Return the endings of what is read, the plainest first, as the drop zone lists them."""
    known = reversed(FORMATS.values())
    read = (found for found in known if not found.refusal and not found.holds_files)
    return tuple(ending for found in read for ending in found.endings)


def archive_kinds() -> tuple[str, ...]:
    """Return the kinds of what is opened for the files inside."""
    return tuple(kind for kind, found in FORMATS.items() if found.holds_files)


def archive_endings() -> tuple[str, ...]:
    """Return the endings of what is opened, as the drop zone lists them."""
    opened = (found for found in FORMATS.values() if found.holds_files)
    return tuple(ending for found in opened for ending in found.endings)
