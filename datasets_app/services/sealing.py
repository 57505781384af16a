"""Secrets of other houses, encrypted under this installation's own before they are stored."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from datasets_app.corpus.conversation import CorpusError

PURPOSE = b"otto providers' keys"
UNREADABLE = (
    "The key of “{}” cannot be read any more: OTTO_SECRET_KEY is another than when it was stored. "
    "An admin can enter it again."
)


def seal(secret: str) -> str:
    """Return a secret as only this installation can read it."""
    return _box().encrypt(secret.encode()).decode()


def unseal(sealed: str, name: str) -> str:
    """Return a sealed secret; raises CorpusError where the installation's own secret changed."""
    if not sealed:
        return ""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise CorpusError(UNREADABLE.format(name)) from error


def _box() -> Fernet:
    key = hashlib.sha256(PURPOSE + b"\0" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
