"""The small words of some languages: what they are for, by which rules tell what is said."""

from __future__ import annotations

import re

STOP_WORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "a about after all also am an and any are as at be been but by can could did do does "
        "for from had has have he her here him his how i if in into is it it's its just may me "
        "more most my no not of off on one only or our out over please she should so some such "
        "than that the their them then there these they this those to too under up us was we were "
        "what when where which while who whom whose why will with would yes you your yours",
        "de": "aber alle als am an auch auf aus bei bin bis bitte da das dass dein dem den der des "
        "die dies diese dir du durch ein eine einem einen einer er es für haben hat hier ich ihr "
        "im in ist ja kann kein keine können man mehr mein mit nach nicht noch nur oder schon sein "
        "sich sie sind so um und uns unser unter vom von vor war was wenn wer werden wie wir wird "
        "wo zu zum zur über",
        "fr": "à au aux avec ce ces cette comme dans de des du elle en est et être il ils je la le "
        "les leur lui ma mais me mes mon ne nos notre nous on ont ou où par pas plus pour qu que "
        "qui sa sans se ses si son sont sur ta te tes ton tu un une vos votre vous y c'est d'un",
        "es": "a al algo como con cuando de del desde donde el ella en entre era es esa ese eso "
        "esta este esto está están hay la las le les lo los me mi muy más no nos o para pero por "
        "porque que qué se ser si sin sobre son su sus también te tiene tu un una y ya yo",
        "it": "a ai al alla anche che chi ci come con da dal dei del della delle di dove e ed era "
        "gli ha ho i il in io la le lei lo loro lui ma mi mia mio nel nella noi non o per perché "
        "più quando quello questa questo se sei si sono su sua suo ti tra tu un una uno vi è",
        "pt": "a ao aos as até com como da das de depois do dos e ela ele em entre era essa esse "
        "esta este está eu foi há isso já mais mas me meu minha muito na nas não no nos o os ou "
        "para pela pelo por quando que quem se sem ser seu seus sua são também te tem um uma você",
        "nl": "aan al alles als bij dat de der deze die dit doch door dus een en er ge haar had "
        "heb heeft hem het hier hij hoe hun iets ik in is ja je kan mag maar me meer men met mijn "
        "moet na naar niet nog nu of om onder ons ook op over te toch tot u uit van veel voor want "
        "was wat we wel werd wezen wie wij worden zal ze zich zij zijn zo zonder zou",
    }.items()
}
ALL_STOP_WORDS: frozenset[str] = frozenset().union(*STOP_WORDS.values())

# An answer that ends in one of these without a mark was cut off. Words that may well end a
# sentence ("I told her", "I think so", "9 am") are left out.
CUT_WORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "a an the is are was were and or but nor because if than although unless whereas my "
        "your its our their",
        "de": "der die den dem des eine einen einem einer und oder weil dass mein unser",
        "fr": "le la les un une des du et ou mais est sont mon ma mes ton ta sa ses notre votre",
        "es": "el la los las un una y o pero porque es son mi tu su sus",
        "it": "il lo la gli un una e ed o ma perché è sono",
        "pt": "a os as um uma e ou mas porque é são",
        "nl": "de het een en of maar want omdat mijn jouw onze",
    }.items()
}
# The same in languages that the small words above do not tell: these words stand in no other.
CUT_ANYWHERE = frozenset(
    "и или но что чтобы если потому і або але что بأن أو ثم और या लेकिन क्योंकि तथा कि "
    "oraz albo ponieważ "
    "ve veya çünkü və và hoặc nhưng και ή αλλά".split()
)
CUT_LETTERS = ("以及", "和", "或", "或者", "并且", "而且", "但是", "因为", "因為")
# After one of these, "is" and the like may end a sentence: "I know where it is".
PRONOUNS = frozenset(
    "i it he she they we you that this there these those il elle on ils elles ce c él ella esto "
    "eso ellos ellas lui lei loro ele ela eles elas isso".split()
)
PREPOSITIONS = frozenset(
    "about above across after against along among around at before behind below beneath beside "
    "between beyond by down during for from in inside into near of off on onto out outside over "
    "past since through to toward towards under until up upon with within without".split()
)

YES_NO_WORDS = frozenset(
    "yes no yep yeah yup nope sure okay ok right correct true false indeed certainly absolutely "
    "definitely never always maybe probably none nothing ja nein doch klar genau oui non si sí "
    "claro sì certo sim não nee zeker да нет так ні tak nie ano ne evet hayır نعم لا כן לא हाँ "
    "हां नहीं जी 네 예 아니요 아니오 ναι όχι kyllä ei igen nem".split()
)
# These are compared as whole answers, also because letter scripts arrive as single letters.
WHOLE_ANSWERS = frozenset(
    "是 是的 不是 不 对 對 有 没有 沒有 可以 不可以 好 好的 会 不会 能 不能 はい いいえ うん "
    "ええ そうです ใช่ ไม่ ไม่ใช่ ได้ ไม่ได้ ครับ ค่ะ ບໍ່ ແມ່ນ បាទ ចាស ទេ "
    "你好 您好 早 早上好 晚上好 晚安 再见 明天见 谢谢 不客气 稍等 おはようございます こんにちは "
    "こんばんは ありがとう ありがとうございます どうも すみません また明日".split()
) | frozenset(
    "you're welcome|you’re welcome|my pleasure|thank you|no problem|of course|not yet|any time|"
    "see you|so do i|me too|gern geschehen|de rien|de nada|não tem de quê|non c'è di che".split("|")
)
# One of these in the answer alone, or in the question alone, turns what is said around.
NEGATIONS = frozenset(
    "not cannot can't don't doesn't isn't aren't won't never no neither without nicht kein keine "
    "keinen nie ohne pas jamais sans no nunca tampoco sin ninguno nessuno non mai senza não nem "
    "sem niet geen nooit zonder не нет никогда без ні nie bez "
    "لا ليس لن لم غير नहीं मत बिना không chưa "
    "değil yok 不 没 未 否 無 别".split()
)
NEGATED = re.compile("(?:ません|ない|なかった|ず)[。！!、,. ]*\\Z")
# One of these in an answer says something, however many words come from the question.
DECISIVE_WORDS = YES_NO_WORDS | NEGATIONS
# Who gives these back gives the question back.
QUESTION_WORDS = frozenset(
    "how why wie warum weshalb comment pourquoi cómo por porqué come perché como porquê hoe waarom "
    "как почему зачем كيف لماذا कैसे क्यों 怎 어떻게 왜 nasıl neden".split()
)
# What people say while they think: no answer by itself.
FILLERS = frozenset(
    "hm hmm mm um uh er erm eh ah oh well like naja tja äh ähm halt euh ben donc alors pues bueno "
    "este cioè allora ecco beh então pois nou dus ну вот так эм э это значит ээ هو هي في هذا يعني "
    "طيب वह तो मतलब यह हम्म 그 음 어 저 그게 그냥 뭐 http https www".split()
)
FILLER_LETTERS = frozenset("就是嗯这那这好吧啊呃哦喔的了我你他她它们和也都很呢吗嘛唉")
WEEKDAYS = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday "
    "montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag "
    "lundi mardi mercredi jeudi vendredi samedi dimanche "
    "lunes martes miércoles jueves viernes sábado domingo "
    "lunedì martedì mercoledì giovedì venerdì sabato domenica "
    "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag "
    "poniedziałek wtorek środa czwartek piątek sobota niedziela "
    "понедельник вторник среда четверг пятница суббота воскресенье "
    "pazartesi salı çarşamba perşembe cuma cumartesi pazar".split()
)
DAYS = WEEKDAYS | {"today", "tomorrow", "yesterday"}
# Names of months that are written with a capital, so that no verb or other word is one.
MONTHS = frozenset(
    "january february march april may june july august september october november december "
    "januar jänner februar märz mai juni juli oktober dezember".split()
)
NUMBER_WORDS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty "
    "hundred thousand half once twice noon midnight today tomorrow yesterday monday tuesday "
    "wednesday thursday friday saturday sunday "
    "一 二 三 四 五 六 七 八 九 十 百 千 万 两 零 半".split()
)
