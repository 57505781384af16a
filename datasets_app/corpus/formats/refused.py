"""Formats that OTTO knows by name and does not read, each with the next step for a person.

One that becomes readable leaves for a file of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from datasets_app.corpus.detection.text_head import TextHead
from datasets_app.corpus.formats.format import Format


def is_image(head: bytes) -> bool:
    """Say whether a bitmap or WebP begins here."""
    is_bitmap = head[:2] == b"BM" and len(head) > 14 and head[6:10] == b"\0\0\0\0"
    return is_bitmap or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def tell_drawing(head: TextHead) -> str | None:
    """Say why a text is an image: a drawing that is written as XML."""
    start = head.text.lstrip()[:1000].casefold()
    is_drawing = start.startswith("<") and "<svg" in start and "<html" not in start
    return "it is a drawing in XML" if is_drawing else None


def is_audio(head: bytes) -> bool:
    """Say whether MP3 without a tag, or WAV, begins here."""
    is_mp3 = head[:2] in {b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"}
    return is_mp3 or (head[:4] == b"RIFF" and head[8:12] == b"WAVE")


def is_video(head: bytes) -> bool:
    """Say whether MP4 or AVI begins here."""
    return head[:1] + head[4:8] == b"\0ftyp" or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")


def is_windows_program(head: bytes) -> bool:
    """Tell a program from a text that begins with the letters MZ."""
    return head.startswith(b"MZ") and b"\0" in head[:64]


def _has(*names: bytes) -> Callable[[set[bytes]], bool]:
    return lambda members: not members.isdisjoint(names)


EMPTY = Format(kind="empty", name="an empty file", refusal="The file is empty. Nothing was loaded.")
BINARY = Format(
    kind="binary",
    name="no text",
    refusal="This is not text, and OTTO does not know what it is.",
)
MODEL = Format(
    kind="model",
    name="a model",
    magic=(b"GGUF", b"\x80\x02", b"\x80\x03", b"\x80\x04\x95", b"\x80\x05\x95"),
    in_zip=lambda members: any(name.rsplit(b"/", 1)[-1] == b"data.pkl" for name in members),
    refusal="This is a model or a pickled file, not data. Upload text, tables or JSON.",
)
OLE = Format(
    kind="ole",
    name="an older Office file",
    magic=(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",),
    refusal="This is an older Office file. Save it as .docx, .xlsx or plain text and upload that.",
)
FORMATS = (
    EMPTY,
    BINARY,
    MODEL,
    Format(
        kind="ps",
        name="a PostScript file",
        endings=("ps", "eps"),
        magic=(b"%!PS",),
        refusal="This is a PostScript file. Save it as a PDF and upload that.",
    ),
    Format(
        kind="pptx",
        name="a presentation",
        endings=("pptx", "odp"),
        in_zip=_has(b"ppt/presentation.xml"),
        mimetype=b"application/vnd.oasis.opendocument.presentation",
        refusal="This is a presentation. Save its text as .txt and upload that.",
    ),
    OLE,
    Format(
        kind="protected",
        name="a protected Office file",
        in_ole=("EncryptedPackage",),
        refusal="This Office file is protected by a password. Open it, save it without a password "
        "and upload that.",
    ),
    Format(
        kind="doc",
        name="an older Word document",
        endings=("doc", "dot"),
        in_ole=("WordDocument",),
        refusal="This is an older Word document. Save it as .docx and upload that.",
    ),
    Format(
        kind="xls",
        name="an older Excel workbook",
        endings=("xls",),
        in_ole=("Workbook", "Book"),
        refusal="This is an older Excel workbook. Save it as .xlsx and upload that.",
    ),
    Format(
        kind="ppt",
        name="an older presentation",
        endings=("ppt",),
        in_ole=("PowerPoint Document",),
        refusal="This is an older presentation. Save its text as .txt and upload that.",
    ),
    Format(
        kind="xlsb",
        name="a binary Excel workbook",
        endings=("xlsb",),
        in_zip=_has(b"xl/workbook.bin"),
        refusal="This is a binary Excel workbook. Save it as .xlsx and upload that.",
    ),
    Format(
        kind="epub",
        name="an e-book",
        endings=("epub",),
        mimetype=b"application/epub+zip",
        refusal="This is an e-book. Save its text as .txt and upload that.",
    ),
    Format(
        kind="rtf",
        name="a rich text file",
        endings=("rtf",),
        magic=(b"{\\rtf",),
        refusal="This is a rich text file. Save it as plain text (.txt) and upload that.",
    ),
    Format(
        kind="jar",
        name="a Java or Android program",
        endings=("jar", "apk"),
        in_zip=_has(b"META-INF/MANIFEST.MF", b"AndroidManifest.xml"),
        refusal="This is a Java or Android program. OTTO reads text only.",
    ),
    Format(
        kind="rar",
        name="a RAR archive",
        endings=("rar",),
        magic=(b"Rar!\x1a\x07",),
        refusal="This is a RAR archive. Unpack it and upload a zip.",
    ),
    Format(
        kind="7z",
        name="a 7z archive",
        endings=("7z",),
        magic=(b"7z\xbc\xaf\x27\x1c",),
        refusal="This is a 7z archive. Unpack it and upload a zip.",
    ),
    Format(
        kind="zstd",
        name="a zstd archive",
        endings=("zst",),
        magic=(b"\x28\xb5\x2f\xfd",),
        refusal="This is a zstd archive. Unpack it and upload a zip.",
    ),
    Format(
        kind="image",
        name="an image",
        endings=("png", "jpg", "jpeg", "gif", "tif", "tiff", "bmp", "webp", "heic", "avif", "svg"),
        of_bytes=is_image,
        of_text=tell_drawing,
        magic=(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*"),
        libmagic=("image/heic", "image/avif"),
        refusal="This is an image. OTTO reads text only.",
    ),
    Format(
        kind="audio",
        name="a sound file",
        endings=("mp3", "wav", "ogg", "flac", "m4a"),
        of_bytes=is_audio,
        magic=(b"ID3", b"OggS", b"fLaC"),
        libmagic=("audio/mpeg",),
        refusal="This is a sound file. OTTO reads text only; upload a transcript.",
    ),
    Format(
        kind="video",
        name="a video",
        endings=("mp4", "m4v", "mov", "mkv", "webm", "avi"),
        fits=("m4a", "heic", "avif"),
        of_bytes=is_video,
        magic=(b"\x1aE\xdf\xa3",),
        libmagic=("video/mpeg",),
        refusal="This is a video. OTTO reads text only; upload a transcript.",
    ),
    Format(
        kind="program",
        name="a program",
        endings=("exe", "dll", "so", "wasm", "class"),
        of_bytes=is_windows_program,
        magic=(b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\x00asm"),
        libmagic=(
            "application/x-dosexec",
            "application/x-executable",
            "application/x-mach-binary",
        ),
        refusal="This is a program. OTTO reads text only.",
    ),
    Format(
        kind="arrow",
        name="an Arrow file",
        endings=("arrow", "feather"),
        magic=(b"ARROW1",),
        refusal="This is an Arrow file. Save it as Parquet, CSV or JSON Lines and upload that.",
    ),
    Format(
        kind="database",
        name="a database file",
        endings=("sqlite", "db"),
        magic=(b"SQLite format 3\x00",),
        refusal="This is a database file. Export its tables as CSV and upload those.",
    ),
)
