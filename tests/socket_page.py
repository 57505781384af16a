"""Reads docs/SOCKETS.md: names and fields of what goes over the sockets."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "SOCKETS.md"
TYPES = ROOT / ".ci" / "scripts.d.ts"


def rows(heading):
    """Return the cells of a section's table, without its two head lines."""
    section = PAGE.read_text("utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def told(heading):
    """Return the fields of each command or frame of a section; `field?` may be missing."""
    return {row[0].strip("`"): set(re.findall(r"`([\w?]+)`", row[1])) for row in rows(heading)}


def typed(name, key):
    """Return the same of a type in scripts.d.ts; `key` is what tells its members apart."""
    text = TYPES.read_text("utf-8").split(f"type {name} =")[1].split("\n\n")[0]
    members = re.findall(r"\{ (.+?) \}(?:;?\n|;?$)", text)
    named = [re.findall(r"(?:^|; )(\w+\??):", member) for member in members]
    kinds = [re.search(rf'\b{key}: "(\w+)"', member).group(1) for member in members]
    return {kind: set(fields) - {key} for kind, fields in zip(kinds, named, strict=True)}


def codes():
    """Return the codes with which a socket may be closed."""
    text = PAGE.read_text("utf-8")
    return {int(code) for code in re.findall(r"^\| (\d{4}) \|", text, re.MULTILINE)}


def seen(frames):
    """Return the fields of each kind of frame that came over a socket, and of nothing else."""
    found = {}
    for frame in frames:
        fields = set(frame) - {"t"}
        assert found.setdefault(frame["t"], fields) == fields, frame
    return found
