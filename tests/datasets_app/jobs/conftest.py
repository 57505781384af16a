"""Uploads made and imported in one step."""

from __future__ import annotations

import pytest

from datasets_app.jobs.importing import import_upload
from datasets_app.services.receiving import NewUpload, receive_whole


@pytest.fixture
def upload(cora, redis_server, data_dir):
    """Give a function that receives a file without importing it."""

    def received(name, body, **more):
        return receive_whole(NewUpload(name, len(body), **more), body, by=cora)

    return received


@pytest.fixture
def imported(upload):
    """Give a function that receives and imports a file."""

    def done(name, body, **more):
        found = upload(name, body, **more)
        assert import_upload(found.pk)
        found.refresh_from_db()
        return found

    return done
