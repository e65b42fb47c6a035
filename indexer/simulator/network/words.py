"""The words of the simulated network, written for it: openings, middles and endings that fit one another.

A sentence is one of each, joined as the language joins words. `LANGUAGES` repeats a language by how common it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Phrases:
    """Parts of sentences of one language."""

    openings: tuple[str, ...]
    middles: tuple[str, ...]
    endings: tuple[str, ...]
    tags: tuple[str, ...]
    joiner: str = " "


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.strip().split("|"))


PHRASES: Final = {
    "en": Phrases(
        _parts(
            "The morning market|My grandmother's kitchen|The last train home|Our little library|The harbour at dusk|"
            "This new novel|The neighbour's cat|A quiet Tuesday|The old cinema|Our community garden|The first snow|"
            "That strange painting|The night sky|My bicycle|The bakery on the corner|A letter from a friend"
        ),
        _parts(
            "smells of fresh bread|makes me want to write more|was full of music|reminds me of the sea|"
            "is better than any plan I had|keeps surprising me|deserves a longer visit|looks different every day|"
            "taught me patience|is worth the walk|sounds like an orchestra|feels like a small holiday"
        ),
        _parts(
            "and I forgot my umbrella.|and nobody told me!|so I stayed an hour longer.|and that is enough for today.|"
            "according to my daughter.|more about that tomorrow.|who else noticed?|and the coffee was good.|"
            "which explains a lot.|so come and see it.|at least on Sundays.|and I took far too many photos."
        ),
        _parts("photography|books|gardening|science|cycling|music|art|weather"),
    ),
    "ja": Phrases(
        _parts(
            "今日の夕焼け|近所のパン屋|祖母の台所|新しい小説|駅前の図書館|うちの猫|静かな雨の朝|冬の星空|商店街の祭り|"
            "昨日の演奏会|庭のトマト|古い映画館"
        ),
        _parts(
            "はとても美しくて|が思ったより楽しくて|のことを考えていたら|を友達に見せたら|を久しぶりに訪ねて|に少し驚いて"
        ),
        _parts(
            "写真をたくさん撮った。|傘を忘れた。|つい長居してしまった。|また明日も行きたい。|コーヒーがおいしかった。|"
            "気持ちが軽くなった。|みんなにも教えたい。|もう一度読み返した。"
        ),
        _parts("写真|読書|料理|科学|音楽|猫|天気"),
        "",
    ),
    "pt": Phrases(
        _parts(
            "O mercado da manhã|A cozinha da minha avó|O último comboio|A biblioteca do bairro|O gato do vizinho|"
            "Este novo romance|A primeira chuva|O céu da noite|A padaria da esquina|O jardim da praça"
        ),
        _parts(
            "cheira a pão fresco|lembra-me o mar|estava cheio de música|merece outra visita|ensina-me a ter paciência|"
            "muda todos os dias|vale a caminhada|parece uma pequena festa"
        ),
        _parts(
            "e esqueci o guarda-chuva.|e ninguém me avisou!|por isso fiquei mais uma hora.|e o café estava ótimo.|"
            "amanhã conto o resto.|quem mais reparou?|pelo menos aos domingos.|segundo a minha filha."
        ),
        _parts("fotografia|livros|ciência|música|cozinha|futebol"),
    ),
    "de": Phrases(
        _parts(
            "Der Wochenmarkt|Die Küche meiner Großmutter|Der letzte Zug|Unsere kleine Bücherei|Die Katze von nebenan|"
            "Dieser neue Roman|Der erste Schnee|Das alte Kino|Die Bäckerei an der Ecke|Der Gemeinschaftsgarten"
        ),
        _parts(
            "duftet nach frischem Brot|erinnert mich ans Meer|war voller Musik|überrascht mich jedes Mal|"
            "sieht jeden Tag anders aus|lehrt mich Geduld|ist den Weg wert|fühlt sich an wie Urlaub"
        ),
        _parts(
            "und ich habe den Schirm vergessen.|und keiner hat es mir gesagt!|also blieb ich eine Stunde länger.|"
            "und das reicht für heute.|mehr dazu morgen.|wem ist das noch aufgefallen?|und der Kaffee war gut.|"
            "wenigstens sonntags."
        ),
        _parts("fotografie|bücher|garten|wissenschaft|fahrrad|musik"),
    ),
    "es": Phrases(
        _parts(
            "El mercado de la mañana|La cocina de mi abuela|El último tren|La biblioteca del barrio|"
            "El gato del vecino|Esta nueva novela|La primera lluvia|El viejo cine|La panadería de la esquina"
        ),
        _parts(
            "huele a pan recién hecho|me recuerda al mar|estaba lleno de música|merece otra visita|"
            "me sorprende siempre|cambia cada día|vale la caminata|parece unas pequeñas vacaciones"
        ),
        _parts(
            "y olvidé el paraguas.|¡y nadie me lo dijo!|así que me quedé una hora más.|y el café estaba muy bueno.|"
            "mañana cuento el resto.|¿quién más lo notó?|al menos los domingos.|según mi hija."
        ),
        _parts("fotografía|libros|ciencia|música|cocina|fútbol"),
    ),
    "fr": Phrases(
        _parts(
            "Le marché du matin|La cuisine de ma grand-mère|Le dernier train|La petite bibliothèque|Le chat du voisin|"
            "Ce nouveau roman|La première neige|Le vieux cinéma|La boulangerie du coin"
        ),
        _parts(
            "sent le pain frais|me rappelle la mer|était plein de musique|mérite une autre visite|"
            "me surprend à chaque fois|change tous les jours|vaut le détour|a un air de vacances"
        ),
        _parts(
            "et j'ai oublié mon parapluie.|et personne ne m'a prévenu !|alors je suis resté une heure de plus.|"
            "et le café était bon.|la suite demain.|qui d'autre l'a remarqué ?|au moins le dimanche.|d'après ma fille."
        ),
        _parts("photographie|livres|science|musique|cuisine|vélo"),
    ),
    "ko": Phrases(
        _parts(
            "오늘 아침 시장|할머니의 부엌|마지막 기차|동네 도서관|옆집 고양이|"
            "새로 나온 소설|첫눈|오래된 영화관|골목 빵집"
        ),
        _parts(
            "에서 바다가 생각났다|덕분에 기분이 좋아졌다|이야기를 친구에게 했다|사진을 많이 찍었다|때문에 조금 놀랐다"
        ),
        _parts(
            "그런데 우산을 잊었다.|내일 또 가고 싶다.|커피도 맛있었다.|아무도 말해 주지 않았다!|"
            "오늘은 이것으로 충분하다.|그래서 한 시간 더 있었다."
        ),
        _parts("사진|독서|요리|과학|음악|고양이"),
    ),
    "zh": Phrases(
        _parts(
            "早上的市场|外婆的厨房|回家的末班车|街角的面包店|邻居的猫|这本新小说|第一场雪|老电影院|社区的花园|夜晚的星空"
        ),
        _parts("总是让我惊喜，|让我想起大海，|每天都不一样，|值得再去一次，|教会我耐心，|充满了音乐，"),
        _parts(
            "可是我忘了带伞。|明天还想去看看。|咖啡也很好喝。|竟然没有人告诉我！|今天这样就够了。|所以多待了一个小时。"
        ),
        _parts("摄影|读书|美食|科学|音乐|天气"),
        "",
    ),
    "th": Phrases(
        _parts("ตลาดเช้า|ครัวของคุณยาย|รถไฟเที่ยวสุดท้าย|ห้องสมุดเล็กๆ|แมวข้างบ้าน|นิยายเล่มใหม่|ฝนแรกของปี|โรงหนังเก่า"),
        _parts("ทำให้คิดถึงทะเล|สวยกว่าที่คิดไว้|เต็มไปด้วยเสียงเพลง|น่าไปอีกครั้ง|เปลี่ยนไปทุกวัน|สอนให้ใจเย็น"),
        _parts("แต่ลืมเอาร่มไป|พรุ่งนี้จะเล่าต่อ|กาแฟก็อร่อยมาก|ไม่มีใครบอกเลย|วันนี้แค่นี้ก็พอ|เลยอยู่ต่ออีกชั่วโมง"),
        _parts("ถ่ายภาพ|หนังสือ|อาหาร|วิทยาศาสตร์|ดนตรี"),
        " ",
    ),
    "ru": Phrases(
        _parts(
            "Утренний рынок|Бабушкин огород|Последний поезд|Маленький музей|Соседский кот|Этот новый роман|"
            "Первый снег|Старый кинотеатр|Ночной город"
        ),
        _parts(
            "напоминает мне о море|снова меня удивил|стоит долгой прогулки|каждый день другой|учит терпению|"
            "похож на маленький праздник"
        ),
        _parts(
            "а зонт я забыл дома.|и никто мне не сказал!|поэтому я остался ещё на час.|и кофе был хороший.|"
            "подробности завтра.|кто ещё заметил?|хотя бы по воскресеньям."
        ),
        _parts("фотография|книги|наука|музыка|погода"),
    ),
}

LANGUAGES: Final = tuple(
    language
    for language, share in {
        "en": 38, "ja": 20, "pt": 10, "de": 8, "es": 7, "fr": 5, "ko": 4, "zh": 3, "th": 3, "ru": 2,
    }.items()
    for _ in range(share)
)  # fmt: skip

NAMES: Final = _parts(
    "mira|joao|aiko|lena|tomas|priya|hana|felix|noor|diego|yuki|clara|omar|ines|kofi|sora|ravi|elsa|mateo|zoe|"
    "amir|lucia|ivan|mei|nils|rosa|taro|eva|hugo|lila|pavel|nina|otto|sana|luis|vera|jonas|maya|emil|dara|"
    "kenji|alma|bruno|iris|samir|olga|theo|lin|arlo|fumi|greta|milo|rana|pia|jun|tessa|boris|luz|akira|selma"
)

ALT_TEXTS: Final = (
    "A narrow street with wet cobblestones at night",
    "Three loaves of bread on a wooden table",
    "夕焼けの海と小さな船",
    "Eine graue Katze schläft auf einem Bücherstapel",
    "A hand-drawn map of an island that does not exist",
    "Um barco azul na praia ao amanhecer",
)
FILLERS: Final = ("🌱", "✨", "📷", "🍞", "🎶", "🚲", "😀", "👩‍🚀")
SITES: Final = ("news.demo.test", "recipes.demo.test", "blog.demo.test", "museum.demo.test", "weather.demo.test")
# Self-labels that a post may have; the first is the most common.
SELF_LABELS: Final = ("graphic-media", "nudity", "sexual", "porn")


def sentence(language: str, draws: tuple[int, ...]) -> str:
    """One sentence of the language, by three draws."""
    phrases = PHRASES[language]
    first, middle, last = draws[:3]
    return phrases.joiner.join(
        (
            phrases.openings[first % len(phrases.openings)],
            phrases.middles[middle % len(phrases.middles)],
            phrases.endings[last % len(phrases.endings)],
        )
    )
