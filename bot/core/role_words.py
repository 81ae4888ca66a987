"""Words that speech is recognised by: names of roles, what is said about speaking, and what only heads a text."""

from __future__ import annotations

from bot.personas.labels import Labels
from bot.personas.lookalikes import seen


def _labels(names: str) -> Labels:
    return Labels.of((name, name) for name in names.split(", "))


def words_of(words: str) -> frozenset[str]:
    """The words of a text, as they are seen."""
    return frozenset(seen(words).casefold().split())


ROLES = _labels(
    "🤖, 👤, 🧑, 🗣️, 👥, Human, User, Assistant, System, Host, Bot, Chatbot, Admin, Administrator, "
    "Moderator, Mod, AI, Operator, Root, "
    "Developer, Narrator, Speaker, Participant, Slackbot, Clyde, AutoMod, im_start, INST, SYS, "
    "Sysadmin, Greenroom, "
    "Sysop, Webhook, Everyone, Superuser, Customer, Claude, ChatGPT, GPT, Copilot, Facilitator, System message, "
    "Mensch, Benutzer, Benutzerin, Nutzer, Nutzerin, Anwender, Assistent, Assistentin, Gastgeber, "
    "Verwalter, Humain, "
    "Utilisateur, Utilisatrice, Système, Hôte, Administrateur, Modérateur, Assistante, Humano, Humana, Usuario, "
    "Usuaria, Asistente, Sistema, Anfitrión, Administrador, Administradora, Moderador, Usuário, "
    "Usuária, Utilizador, "
    "Assistente, Anfitrião, Umano, Utente, Amministratore, Moderatore, Mens, Gebruiker, Systeem, "
    "Beheerder, Człowiek, "
    "Użytkownik, Asystent, Gospodarz, Moderatör, Människa, Användare, Menneske, Bruger, Bruker, Käyttäjä, "
    "Järjestelmä, Ihminen, Uživatel, Člověk, Systém, Správce, Felhasználó, Rendszer, Utilizator, Kullanıcı, İnsan, "
    "Asistan, Sistem, Yönetici, Pengguna, Asisten, Người dùng, Trợ lý, Hệ thống, Человек, Пользователь, Ассистент, "
    "Система, Хост, Бот, Админ, Администратор, Модератор, Помощник, Людина, Користувач, Асистент, Χρήστης, Βοηθός, "
    "Σύστημα, Άνθρωπος, Διαχειριστής, 用户, 用戶, 助手, 助理, 系统, 系統, 人类, 人類, 管理员, "
    "管理員, 主持人, 机器人, 機器人, ユーザー, アシスタント, システム, "
    "人間, 管理者, 司会, ボット, ホスト, 사용자, 어시스턴트, 시스템, 인간, 관리자, 봇, المستخدم, "
    "مستخدم, المساعد, مساعد, النظام, إنسان, المدير, "
    "משתמש, עוזר, מערכת, אדם, מנהל, उपयोगकर्ता, सहायक, सिस्टम, मानव, ผู้ใช้, ผู้ช่วย, ระบบ"
)
"""Roles that a model may write for, and that are nobody's name, in the languages that models write them in."""

HONORIFICS = words_of("mr mrs ms miss dr prof sir herr frau señor señora monsieur madame pan the real our")

STARTERS = seen(
    r"(?:(?:fwd?|re|(?:turn|step|scene|act|round|part) \d+|answer|question|agent|persona)\b ?[:(-]?|"
    r"on(?= \w+[,. ]+\w* ?\d)|(?:(?:re|auto)?[ -]?(?:reply|message|answer|response|statement|comment|quote|"
    r"words?|note|text|dm|voice|posted|written|said|sent|spoken|signed|on behalf|speaking|writing|talking|"
    r"acting|forwarded|fwd|nachricht|antwort|réponse|reponse|respuesta|mensaje|message) (?:\w+ )?(?:from|by|"
    r"of|as|for|von|de)|as|from|speaker|sender|role|this is|it's|here is|here's|enter|over to|now|next|von|"
    r"de la part de|parle|spricht|habla) ?:? *)"
)
"""What stands before a name that is to speak: `Message from Mary:`, `From: Mary`."""

VERBS = seen(
    r"(?:(?:has |have |had |a |hat |ha |just |then |also |now |quickly |finally |\w+ly )*(?:exclaim(?:s|ed)|"
    r"declare[sd]|insist(?:s|ed)|argue[sd]|explain(?:s|ed)|remark(?:s|ed)|suggest(?:s|ed)|propose[sd]|says?|"
    r"said|saying|writes?|wrote|writing|answers?|answered|repl(?:y|ies|ied)|responds?|responded|asks?|asked|"
    r"adds?|added|continues?|continued|comments?|commented|posts?|posted|states?|stated|notes?|noted|speaks?|"
    r"speaking|spoke|interjects?|interjected|chimes? in|chimed in|announces?|announced|typed|types|sends?|"
    r"sent|tells?|told|shouts?|shouted|whispers?|whispered|thinks?|thought|confirms?|confirmed|concludes?|"
    r"concluded|goes|went|was like|is typing|joins|sagt|sagte|gesagt|schreibt|schrieb|geschrieben|antwortet|"
    r"antwortete|meint|meinte|fragt|fragte|dit|ecrit|repond|repondit|repondu|demande|ajoute|dice|dijo|escribe|"
    r"escribio|escrito|responde|respondio|pregunta|disse|diz|respondeu|escreveu|scrive|ha detto|risponde|zegt|"
    r"zei|schrijft|mowi|powiedzial\w?|pisze|\w*kazal\w?|пише\w?|говорит|сказал\w?|пишет|написал\w?|ответил\w?|"
    r"отвечает|说|說|写道|寫道|回答|说道|さん|の発言|dedi|diyor|yazdi)(?: (?:back|again|to (?:all|"
    r"everyone|everybody)|so|"
    r"this|the following))?)"
)
"""Verbs of speaking, without accents, as they stand between a name and a colon."""

TAGS = seen(
    r"(?:prompt|notice|notification|alert|broadcast|announcement|override|instructions?|app|bot|admin|edited|"
    r"owner|mod|op|guest|host|you|me|online|typing|away|here|speaking|again|out loud|aloud|continued|cont'd|"
    r"cont\.?d?|live|she/her|he/him|they/them|verified|staff|official|persona|agent|ai|replying|reply|pinned|"
    r"via \w+|in #[\w-]+|to (?:all|everyone|everybody|me|you|\w+)|'?s (?:answer|reply|response|message|"
    r"statement|words|comment|voice|turn|note|post|view|verdict|quote|line))"
)
"""What stands behind a name in chats and transcripts."""

ORDINARY = _labels(
    "Note, Notes, Summary, Risk, Risks, Owner, Owners, Warning, Caution, Tip, Hint, Example, Examples, Question, "
    "Questions, Answer, Answers, Decision, Decisions, Context, Goal, Goals, Scope, Status, Plan, Result, Results, "
    "Conclusion, Background, Problem, Solution, Reason, Why, How, What, When, Who, Where, Step, Steps, Option, "
    "Options, Pros, Cons, Todo, To do, Next, Next steps, Action, Actions, Action items, Date, Time, Due, Deadline, "
    "Priority, Input, Output, Security, Performance, Testing, Tests, Research, Design, Development, Deployment, "
    "Documentation, Database, Backend, Frontend, Infrastructure, Budget, Cost, Costs, Estimate, Overview, "
    "Introduction, Details, Title, Description, Purpose, Rationale, Assumption, Assumptions, Requirement, "
    "Requirements, Monitoring, Analysis, Review, Idea, Ideas, Fact, Facts, Update, Info, Important, Remember, "
    "Recommendation, Trade-off"
)
"""Words that head a paragraph so often that a colon behind one makes nobody speak, whoever is called so."""

PERSONAL = words_of(
    "i i'm im i'll ill i've ive i'd we we're we'll we've you you're your yours my mine me us our "
    "ours let's lets yes "
    "yep yeah no nope ok okay sure agree agreed approve approved approves lgtm good great fine "
    "thanks thank hello hi "
    "hey please go ship granted done accepted accept confirmed confirm right correct exactly never "
    "always absolutely "
    "sorry deal ich wir mir mich uns unser mein du dein ja nein gut einverstanden je j'ai nous moi mon oui non "
    "d'accord yo si nosotros mi mio eu sim nao io noi я мы да нет мне мой согласна согласен ik wij "
    "nee tak nie 我 我们 是 "
    "好 同意 はい 私"
)
"""Words that somebody says for themselves: what has one of them is no item of a list of who does what."""

TELLING = words_of(
    "said say says saying wrote write writes reply replied replies answered answer answers chat transcript "
    "conversation log discussion dialogue dialog quote quotes quoted heard told tell tells spoke spoken exchange "
    "thread messages words response responses"
)
"""Words of a line that leads to speech, not to a list of who does what."""
