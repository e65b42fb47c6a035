"""Posts in twelve languages, written for the tests of search, with all that a query can ask about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.builders import ago, like, micros, post, repost

if TYPE_CHECKING:
    from random import Random

    from tests.rows import Record

#: Language -> sentences, with words that come back in others of them.
TEXTS: Final = {
    "en": (
        "The heron waits by the canal, and the café opens at seven.",
        "Don't wake the cat! Coffee first, e-mail later.",
        "New bridge over the canal: C++ code controls it, says the C# developer.",
        "Coffee at the canal with @bruno… what a morning ☕️🦋",
    ),
    "de": (
        "Der Reiher steht am Kanal, die Straße ist nass.",
        "Über den Kanal führt eine Brücke; schön!",
        "Kaffee zuerst.",
    ),
    "fr": ("Le héron attend près du canal.", "Un café, s’il vous plaît — c’est l’été.", "Le pont élevé du canal"),
    "es": ("La garza espera junto al canal.", "Una canción sobre el café y el puente.", "¡Qué mañana! Café con leche"),
    "pt": ("A garça espera junto ao canal.", "Uma canção e um café, por favor.", "A ponte do canal é nova"),
    "ru": ("Цапля ждёт у канала.", "Мой кофе и мои кошки.", "Новый мост через канал — это мой мост"),
    "el": ("Ο ερωδιός περιμένει στο κανάλι.", "Ένας καφές στην Αθήνα", "ΚΑΦΕΣ στην ΑΘΗΝΑ, καφές παντού"),
    "tr": ("İstanbul'da kahve içtim.", "Kanalda bir balıkçıl var.", "istanbul köprü ve kahve"),
    "ja": ("東京タワーの下でコーヒーを飲む。", "新しいiPhoneを買った！コーヒー屋で", "東京の橋、京都の橋", "鯨を見た"),
    "zh": ("北京的运河边有一只苍鹭。", "早上喝咖啡，咖啡很香。", "新桥在运河上"),
    "ko": ("서울에서 커피를 마셨다.", "운하 옆 커피 가게", "새 다리가 운하 위에 있다"),
    "th": ("สวัสดีตอนเช้า กาแฟหนึ่งแก้ว", "สะพานใหม่ข้ามคลอง", "กาแฟ coffee ริมคลอง"),
}
AUTHORS: Final = tuple(f"did:plc:{name * 24}"[:32] for name in ("anna", "bela", "ciro", "dora", "emil", "fred"))
TAGS: Final = ("Coffee", "canal", "Birds", "東京", "Big Bridge", "été")
LINKS: Final = ("https://www.example.com/heron/", "http://canal.example/a_(b)?c=1", "https://news.example")
#: How many posts there are of each sentence.
COPIES: Final = 5


def posts(random: Random) -> list[Record]:
    """All sentences a few times, by several authors within the last week, each with other properties."""
    found: list[Record] = []
    for language, texts in TEXTS.items():
        for text in texts:
            for _ in range(COPIES):
                found.append(_post(random, language, text, found))
    return found


def _post(random: Random, language: str, text: str, earlier: list[Record]) -> Record:
    at = micros(ago(days=6)) + random.randrange(int(5.7 * 24 * 3600)) * 1_000_000
    some = random.random
    return post(
        random.choice(AUTHORS),  # type: ignore[arg-type]
        at=at,
        text=text,
        langs=random.choice([(), (language,), (language, "en"), (f"{language}-XX",)]),
        reply_to=random.choice(earlier) if earlier and some() < 0.3 else None,
        quote=random.choice(earlier) if earlier and some() < 0.15 else None,
        images=random.choice([("a heron",), ("", ""), ("", "a cup")]) if some() < 0.3 else (),
        video=some() < 0.1,
        link=random.choice(LINKS) if some() < 0.3 else None,
        tags=random.sample(TAGS, random.randrange(3)),
        mentions=random.sample(AUTHORS, random.randrange(2)),
    )


def engagement(random: Random, subjects: list[Record]) -> list[Record]:
    """Likes and reposts of some of these posts; a few actors like a post twice."""
    made: list[Record] = []
    for subject in subjects:
        for number in range(random.choice([0, 0, 1, 3, 8])):
            actor = f"did:plc:{'z' * 20}{number:04}"
            kind = random.choice([like, like, repost])
            at = micros(ago(hours=5)) + random.randrange(10**9)
            made.append(kind(actor, subject, at=at))  # type: ignore[arg-type]
            if random.random() < 0.1:
                made.append(kind(actor, subject, at=at + 1_000_000))  # type: ignore[arg-type]
    return made
