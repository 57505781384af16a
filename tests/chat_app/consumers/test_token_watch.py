"""Whoever watches a token learns of its end, and of the end of the watching."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import async_to_sync

from chat_app.consumers import token_watch
from otto_web.pages.services.tokens import make_token, revoke_token

pytestmark = pytest.mark.slow


@pytest.fixture
def token(transactional_db, redis_server, mia):
    return make_token(mia, "script", ["answers"])[0]


async def ended(token):
    async with token_watch.TokenWatch(token) as watch, asyncio.timeout(30):
        await watch.ended.wait()


def test_what_was_revoked_before_the_watch_began_ends_without_a_wait(token, mia, monkeypatch):
    monkeypatch.setattr(token_watch, "CHECK_SECONDS", 600)
    revoke_token(token, by=mia)
    async_to_sync(ended)(token)


def test_a_watch_that_fails_lets_nothing_go_on(token, monkeypatch):
    def fail(token):
        raise LookupError

    monkeypatch.setattr(token_watch, "is_still_good", fail)
    with pytest.raises(LookupError):
        async_to_sync(ended)(token)
