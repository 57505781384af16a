"""Words for who speaks, in several languages, and the role each of them means."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from datasets_app.corpus.conversation import ASSISTANT, PASSAGE, SYSTEM, USER

_WORDS = {
    ASSISTANT: """assistant agent bot chatbot gpt ai model representative rep advisor adviser
        operator support csr employee staff helpdesk consultant specialist technician answer a
        assistent berater mitarbeiter agente asistente asesor conseiller assistente
        bearbeiter mitarbeiterin beraterin antwort respuesta réponse risposta resposta
        ассистент оператор агент ответ 客服 助手 助理 答 アシスタント オペレーター 상담원 مساعد""",
    USER: """user human customer client caller guest visitor member question q me
        benutzer nutzer kunde kundin anrufer frage usuario cliente pregunta utilisateur
        utente domanda usuário pergunta пользователь клиент вопрос
        用户 客户 顾客 问 ユーザー お客様 고객 사용자 مستخدم""",
    SYSTEM: "system developer instructions sistema système система 系统",
}
ROLE_OF = {word: role for role, words in _WORDS.items() for word in words.split()}
ROLE_OF[PASSAGE] = PASSAGE
QUESTION_LABELS = frozenset({"q", "question", "frage", "pregunta", "domanda", "вопрос", "问"})
ANSWER_LABELS = frozenset({"a", "answer", "antwort", "respuesta", "risposta", "ответ", "答"})
_PARENTHESIS = re.compile(r"\(([^()]*)\)")


@lru_cache(1024)
def role_of(word: str) -> str:
    """Return the role that a word means; an unknown word stays as it is."""
    return ROLE_OF.get(word.strip().casefold(), word.strip())


def speaker_role(label: str) -> str | None:
    """Return the role a speaker's label names, as in `Agent (Ben)` or `Ben (agent)`, or None."""
    inside = _PARENTHESIS.findall(label)
    outside = _PARENTHESIS.sub(" ", label).casefold().split()
    words = [" ".join(outside), *outside[:1], *outside[-1:], *(word.casefold() for word in inside)]
    return next((ROLE_OF[word.strip()] for word in words if word.strip() in ROLE_OF), None)


def settle_roles(roles: list[str]) -> list[str]:
    """Read `system` as the assistant where it takes turns with the user and nobody else does."""
    if SYSTEM not in roles or ASSISTANT in roles or USER not in roles:
        return roles
    answers = any(before == USER and role == SYSTEM for before, role in pairwise(roles))
    return [ASSISTANT if role == SYSTEM else role for role in roles] if answers else roles
