"""PDF files for tests, written object by object."""

from __future__ import annotations

from dataclasses import dataclass

PICTURE = b"q 500 0 0 700 50 50 cm /Im Do Q"


@dataclass(frozen=True)
class Put:
    """Words, where they stand on the page, and how large they are."""

    text: str
    x: float = 72
    y: float = 700
    size: float = 11


def lines(*texts: str, x: float = 72, top: float = 700, step: float = 13) -> list[Put]:
    """Return lines of usual size below one another."""
    return [Put(text, x, top - step * number) for number, text in enumerate(texts)]


def pdf(*pages: list[Put] | bytes, trailer: bytes = b"", **changes: bytes) -> bytes:
    """Return a PDF of these pages; bytes are the content of one as it stands.

    `xref` replaces where the table of objects is said to be.
    """
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        stream(b"\xff", b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 "
               b"/ColorSpace /DeviceGray"),
    ]  # fmt: skip
    for number, page in enumerate(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R /Resources "
            b"<< /Font << /F 3 0 R >> /XObject << /Im 4 0 R >> >> >>" % (6 + 2 * number)
        )
        objects.append(stream(page if isinstance(page, bytes) else b"\n".join(map(drawn, page))))
    data, places = b"%PDF-1.4\n", []
    for number, told in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, told)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % place for place in places)
    data += b"trailer\n<< /Size %d /Root 1 0 R %s >>\n" % (len(objects) + 1, trailer)
    return data + b"startxref\n%s\n%%%%EOF" % changes.get("xref", b"%d" % start)


def stream(data: bytes, more: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), more, data)


def drawn(put: Put) -> bytes:
    text = put.text.encode("cp1252")
    for sign in (b"\\", b"(", b")"):
        text = text.replace(sign, b"\\" + sign)
    return b"BT /F %g Tf %g %g Td (%s) Tj ET" % (put.size, put.x, put.y, text)
