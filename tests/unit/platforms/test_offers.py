"""What is completed: what the conversation understands at that moment, and nothing else."""

from __future__ import annotations

from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import fragment_list_to_text

from bot.core.model import Answer, Menu, Option
from bot.core.session import ConversationState, NumberAnchor, Session
from bot.personas.model import Cast, Command, Persona
from bot.personas.model import Document as Paper
from bot.platforms.terminal.offers import Offers, OffersCompleter, completions, offers

WINSTON = Persona(
    "architect", "Winston", "Architect", "🏗️", commands=(Command("create-prd", "Write it"), Command("help"))
)
MARY = Persona("analyst", "Mary", "Analyst", "📊")
HOSTILE = Persona("evil\x1b[2J", "Mal\nlory", icon="\x1b[31m")
CAST = Cast((WINSTON, MARY, HOSTILE), (Paper("readme", "Read me", "text"),))
MENU = Menu("m1", tuple(Option(f"choice {n}\x1b[2J", Answer(str(n)), "why") for n in range(1, 13)))


def now(active: str = "", *, bound: str = "m1") -> Offers:
    session = Session((active,) if active else (), menus=(MENU,))
    return offers(ConversationState(session, (NumberAnchor(1, bound),)), CAST)


def found(text: str, offered: Offers) -> list[str]:
    completed = list(completions(text, offered))
    assert all(c.start_position == -len(text) for c in completed)
    return [c.text for c in completed]


def test_the_active_personas_commands_come_before_the_hosts_and_the_personas() -> None:
    assert found("*", now("architect"))[:2] == ["*create-prd", "*help"]
    assert "*architect" in found("*", now()) and "*create-prd" not in found("*", now())


def test_a_persona_is_found_by_name_title_and_a_part_of_them() -> None:
    assert found("*wins", now()) == ["*architect"]
    assert found("*ARCH", now()) == ["*architect"]
    assert found("*alyst", now()) == ["*analyst"]
    assert found("!mary", now()) == ["!analyst"]


def test_behind_agent_only_personas_are_offered() -> None:
    assert found("*agent an", now()) == ["*agent analyst"]
    assert found("*create-prd an", now("architect")) == []


def test_a_mention_is_of_somebody_or_of_a_document() -> None:
    assert found("@a", now("architect")) == ["@architect", "@analyst", "@readme"][:2]
    assert found("@read", now()) == ["@readme"]


def test_the_terminals_own_words_are_offered_with_what_they_take() -> None:
    assert found("/j", now()) == ["/join "]
    assert found("/q", now()) == ["/quit"]


def test_numbers_come_with_their_labels_where_a_menu_stands_last() -> None:
    assert found("1", now()) == ["1.", "10.", "11.", "12."]
    assert len(found("", now())) == 12
    shown = next(iter(completions("12", now())))
    assert fragment_list_to_text(shown.display) == "12. choice 12"
    assert fragment_list_to_text(shown.display_meta) == "why"
    assert found("1", now(bound="")) == [], "below a persona's own words a number is text"
    assert found("1", now(bound="m0")) == [], "the menu has passed"


def test_prose_and_what_has_several_lines_are_left_alone() -> None:
    assert found("hello *arch", now()) == found("*arch\n", now()) == []


def test_a_name_that_would_steer_the_terminal_is_not_offered() -> None:
    assert found("*mal", now()) == found("*evil", now()) == []


async def test_the_completer_asks_anew_each_time_and_looks_before_the_cursor_only() -> None:
    looks: list[Offers] = [now(), now("architect")]

    async def look() -> Offers:
        return looks.pop(0)

    completer = OffersCompleter(look)
    document = Document("*create-pXYZ", cursor_position=9)
    first = [c.text async for c in completer.get_completions_async(document, CompleteEvent())]
    second = [c.text async for c in completer.get_completions_async(document, CompleteEvent())]
    assert (first, second) == ([], ["*create-prd"])


def test_nothing_is_offered_before_anything_was_kept() -> None:
    assert offers(ConversationState(), CAST).menu is None
