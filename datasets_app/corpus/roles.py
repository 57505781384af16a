"""Words for who speaks, in several languages, and the role each of them means."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from datasets_app.corpus.conversation import ASSISTANT, PASSAGE, SYSTEM, USER

_WORDS = {
    ASSISTANT: """assistant agent bot chatbot gpt chatgpt bing claude gemini llama llm ai model
        representative rep advisor adviser operator operatore support csr employee staff helpdesk
        consultant counselor counsellor specialist technician salesperson
        answer a antwort respuesta réponse risposta resposta odpowiedź ответ
        berater beraterin mitarbeiter mitarbeiterin bearbeiter verkäufer
        agente asistente asesor conseiller conseillère vendeur assistente atendente vendedor
        medewerker konsultant konsultantka pracownik operátor temsilci
        ассистент оператор агент консультант менеджер специалист
        客服 助手 助理 系统助手 坐席 答 アシスタント オペレーター スタッフ 店員 상담원 상담사 직원
        مساعد موظف एजेंट
        myyjä asiakaspalvelija asiakaspalvelu ügyintéző eladó ügyfélszolgálat handläggare säljare
        kundtjänst medarbejder sælger kundeservice selger predajca prodavač operatör
        υπάλληλος εκπρόσωπος διαχειριστής продавец продавець консультантка поддержка підтримка
        agen petugas pegawai
        الموظف المساعد الدعم موظفة נציג נציגה מוכר תמיכה کارشناس اپراتور پشتیبان فروشنده
        प्रतिनिधि சேவையாளர் முகவர் พนักงาน เจ้าหน้าที่ แอดมิน ผู้ช่วย এজেন্ট প্রতিনিধি
        店家 客服人员 客服專員 店员 担当者""",
    USER: """user usr human customer client caller guest visitor member question q
        benutzer nutzer kunde kundin anrufer anruferin käufer frage
        usuario cliente comprador pregunta utilisateur utilisatrice acheteur utente domanda usuário
        pergunta klant vraag klient klientka pytanie zákazník müşteri пользователь клиент покупатель
        вопрос 用户 客户 顾客 买家 问 ユーザー お客様 客 고객 사용자 مستخدم عميل ग्राहक
        asiakas asiakkaat ügyfél vevő kund kunden köpare kunde køber kjøper zákaznice zákazníčka
        kupující clienta cumpărător клієнт клієнтка покупець клиентка
        πελάτης πελάτισσα ερώτηση kupac korisnik stranka pelanggan pembeli
        العميل الزبون زبون المستخدم العميلة לקוח לקוחה קונה משתמש مشتری خریدار کاربر صارف
        வாடிக்கையாளர் பயனர் ลูกค้า ผู้ใช้ গ্রাহক ব্যবহারকারী
        客人 顧客 用戶 客戶 買家 お客さま 손님""",
    SYSTEM: "system sys developer instructions sistema système система 系统",
}
# What a field that names a speaker may hold besides; at the head of a line it is no speaker.
_IN_FIELDS = {
    ASSISTANT: """admin moderator helper supporter therapist doctor teacher tutor seller clerk
        wizard recommender outbound outgoing""",
    USER: """buyer shopper patient student seeker apprentice lead contact enduser end-user
        prompter inbound incoming""",
}
TOOL = "tool"
TOOLS = frozenset(
    """tool function tool_call tool_calls tool_result tool_results tool_response tool_output
    function_call function_result function_response observation ipython api environment""".split()
)
ROLE_OF = {word: role for role, words in _WORDS.items() for word in words.casefold().split()}
ROLE_OF[PASSAGE] = PASSAGE
_IN_FIELD = {word: role for role, words in _IN_FIELDS.items() for word in words.split()}
KNOWN = frozenset({USER, ASSISTANT, SYSTEM, PASSAGE, TOOL})
QUESTION_LABELS = frozenset({"q", "question", "frage", "pregunta", "domanda", "вопрос", "问"})
ANSWER_LABELS = frozenset({"a", "answer", "antwort", "respuesta", "risposta", "ответ", "答"})
# Labels of fields, which nobody says, however often they come again.
FIELD_LABELS = frozenset(
    """description comment comments note notes title date time price address location subject
    summary source tags category phone email e-mail hours website rating size color colour weight
    length
    pros cons pro con advantages disadvantages strengths weaknesses
    vorteile nachteile
    beschreibung anmerkung hinweis titel datum preis adresse ort betreff""".split()
)
_PARENTHESIS = re.compile(r"\(([^()]*)\)")


@lru_cache(1024)
def role_of(word: str) -> str:
    """Return the role that a field's word means, TOOL included; an unknown one stays as it is."""
    plain = word.strip().casefold()
    if plain in TOOLS:
        return TOOL
    return ROLE_OF.get(plain) or _IN_FIELD.get(plain) or word.strip()


@lru_cache(1024)
def canonical(name: str) -> str:
    """Return one spelling for `BEN`, `Ben` and `Ben (Agent)`."""
    bare = re.sub(r"\([^()]*+\)", "", name)
    return " ".join(bare.split()).casefold() or name.casefold()


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
