"""The kinds of file that OTTO knows by name, and the next step for those it does not read."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a file is, decided by its content."""

    EMPTY = "empty"
    TXT = "txt"
    MD = "md"
    RST = "rst"
    TRANSCRIPT = "transcript"
    CSV = "csv"
    TSV = "tsv"
    JSON = "json"
    JSONL = "jsonl"
    ZIP = "zip"
    TAR = "tar"
    TAR_GZ = "tar.gz"
    TAR_BZ2 = "tar.bz2"
    TAR_XZ = "tar.xz"
    GZ = "gz"
    BZ2 = "bz2"
    XZ = "xz"
    PDF = "pdf"
    DOCX = "docx"
    XLSX = "xlsx"
    PPTX = "pptx"
    OLE = "ole"
    EPUB = "epub"
    ODT = "odt"
    ODS = "ods"
    RTF = "rtf"
    JAR = "jar"
    RAR = "rar"
    SEVENZIP = "7z"
    ZSTD = "zstd"
    HTML = "html"
    XML = "xml"
    EML = "eml"
    SUBTITLE = "subtitle"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    PROGRAM = "program"
    DATABASE = "database"
    MODEL = "model"
    BINARY = "binary"


ARCHIVES = frozenset(
    {Kind.ZIP, Kind.TAR, Kind.TAR_GZ, Kind.TAR_BZ2, Kind.TAR_XZ, Kind.GZ, Kind.BZ2, Kind.XZ}
)
"""Kinds that `archives.unpack` opens."""

READABLE = frozenset(
    {
        *(Kind.TXT, Kind.MD, Kind.RST, Kind.TRANSCRIPT),
        *(Kind.CSV, Kind.TSV, Kind.JSON, Kind.JSONL),
    }
)
"""Kinds that `readers.registry.read` reads."""

SHOWN = ("txt", "md", "rst", "csv", "tsv", "json", "jsonl", "ndjson")
SHOWN_ARCHIVES = ("zip", "tar", "tar.gz", "tgz", "tar.bz2", "tbz2", "tar.xz", "gz", "bz2", "xz")
"""What the drop zone lists."""

_NEXT_STEPS: dict[Kind, str] = {
    Kind.EMPTY: "The file is empty. Nothing was loaded.",
    Kind.PDF: "This is a PDF. Save its text as a .txt file and upload that.",
    Kind.DOCX: "This is a Word document. Save it as plain text (.txt) and upload that.",
    Kind.XLSX: "This is an Excel workbook. Save each sheet as CSV and upload those.",
    Kind.PPTX: "This is a presentation. Save its text as .txt and upload that.",
    Kind.OLE: "This is an older Office file. Save it as CSV or plain text and upload that.",
    Kind.EPUB: "This is an e-book. Save its text as .txt and upload that.",
    Kind.ODT: "This is an OpenDocument text. Save it as plain text (.txt) and upload that.",
    Kind.ODS: "This is an OpenDocument table. Save it as CSV and upload that.",
    Kind.RTF: "This is a rich text file. Save it as plain text (.txt) and upload that.",
    Kind.JAR: "This is a Java or Android program. OTTO reads text only.",
    Kind.RAR: "This is a RAR archive. Unpack it and upload a zip.",
    Kind.SEVENZIP: "This is a 7z archive. Unpack it and upload a zip.",
    Kind.ZSTD: "This is a zstd archive. Unpack it and upload a zip.",
    Kind.HTML: "This is a web page. Save its text as .txt and upload that.",
    Kind.XML: "This is an XML file. Save its text as .txt, CSV or JSON and upload that.",
    Kind.EML: "This is an e-mail. Save its text as .txt and upload that.",
    Kind.SUBTITLE: "This is a subtitle file. Save it as plain text with `Name:` lines.",
    Kind.IMAGE: "This is an image. OTTO reads text only.",
    Kind.AUDIO: "This is a sound file. OTTO reads text only; upload a transcript.",
    Kind.VIDEO: "This is a video. OTTO reads text only; upload a transcript.",
    Kind.PROGRAM: "This is a program. OTTO reads text only.",
    Kind.DATABASE: "This is a database file. Export its tables as CSV and upload those.",
    Kind.MODEL: "This is a model or a pickled file, not data. Upload text, tables or JSON.",
    Kind.BINARY: "This is not text, and OTTO does not know what it is.",
}


def refusal(kind: Kind) -> str:
    """Return the sentence that refuses a kind and names the next step; "" for a readable one."""
    return _NEXT_STEPS.get(kind, "")
