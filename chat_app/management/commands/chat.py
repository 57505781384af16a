"""`manage.py chat NAME`: asks a deployment, once or in a conversation."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError

from chat_app.jobs.waiting import engine_at_hand
from chat_app.models import Chat
from chat_app.selectors.following import words_of
from chat_app.selectors.names import asker_named, deployment_named
from chat_app.services import chats
from chat_app.services.chat_settings import params_of
from chat_app.services.chats import AnswerParams, Asked
from chat_app.serving.errors import ServingError
from chat_app.serving.limits import NEW_TOKENS
from otto_web.servers.borrow import servers_for_command

FAREWELLS = {"exit", "quit", "q"}


class Command(BaseCommand):
    help = "Chat with a deployment; Ctrl-C stops an answer, “exit” ends the chat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("deployment", help="name in the chat")
        parser.add_argument("--prompt", help="ask this once; without it a conversation begins")
        parser.add_argument("--max-tokens", type=int, default=NEW_TOKENS.usual)
        parser.add_argument("--temperature", type=float, help="of the words; 0 takes the likeliest")
        parser.add_argument("--seed", type=int)
        parser.add_argument("--user", default="", help="whose chat it is; else the first admin's")
        parser.add_argument("--json", action="store_true", help="one JSON object per answer")

    def handle(self, *args: Any, **options: Any) -> None:
        self.as_json = options["json"]
        with servers_for_command("chat", tell=self.stderr.write):
            try:
                deployment = deployment_named(options["deployment"])
                chat = chats.open_chat(deployment, owner=asker_named(options["user"]))
                wished = {"new_tokens": options["max_tokens"], "seed": options["seed"]}
                if options["temperature"] is not None:
                    wished["temperature"] = options["temperature"]
                params = params_of(chat, **wished)
                with engine_at_hand():
                    if options["prompt"] is not None:
                        self._ask(chat, options["prompt"], params)
                    else:
                        self._talk(chat, params)
            except ServingError as error:
                raise CommandError(str(error)) from error

    def _talk(self, chat: Chat, params: AnswerParams) -> None:
        """Ask what is typed until the person takes leave."""
        while (text := self._typed()) is not None:
            try:
                self._ask(chat, text, params)
            except ServingError as error:
                self.stderr.write(str(error))

    def _typed(self) -> str | None:
        """Return the next message; None at a farewell or at the end of the input."""
        while True:
            if sys.stdin.isatty():
                self.stdout.write("you> ", ending="")
                self.stdout.flush()
            line = sys.stdin.readline()
            text = line.strip()
            if not line or text.lower() in FAREWELLS:
                return None
            if text:
                return text

    def _ask(self, chat: Chat, text: str, params: AnswerParams) -> None:
        asked = chats.ask(chat, text, params, idem=uuid4())
        try:
            self._show(asked)
        except KeyboardInterrupt:
            chats.request_stop(asked.generation)
            self._show(asked, is_silent=True)
        asked.generation.refresh_from_db()
        if asked.generation.state == "failed":
            raise ServingError(asked.generation.message)
        if self.as_json:
            self._tell(asked)
        else:
            self.stdout.write("")

    def _show(self, asked: Asked, *, is_silent: bool = False) -> None:
        for words in words_of(asked.answer.pk):
            if not (self.as_json or is_silent):
                self.stdout.write(words, ending="")
                self.stdout.flush()

    def _tell(self, asked: Asked) -> None:
        asked.answer.refresh_from_db()
        row = asked.generation
        figures = {
            "chat": str(asked.answer.chat_id),
            "message": str(asked.answer.pk),
            "model": str(row.model or ""),
            "reply": asked.answer.text,
            "state": row.state,
            "finish": row.finish,
            "sources": row.sources,
            "unsupported": row.unsupported,
            "seed": row.seed,
            **row.timings,
        }
        self.stdout.write(json.dumps(figures, ensure_ascii=False))
