"""The workspace on Slack and Discord, with their real client libraries: files both ways, archives, direct messages."""

from __future__ import annotations

import io
import zipfile

from tests.fakes.slack_state import Room
from tests.scenario.discord_house import discord_house, words
from tests.scenario.slack_house import House, slack_house
from tests.scenario.stage import answering
from tests.scenario.test_rules import never

BRIEF = "# Brief\n\nA shop for <bikes> & more: 自転車\n"


def in_archive(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def uploaded(house: House, room: Room) -> list[tuple[str, bytes]]:
    """The files that the bot has shared in a room, oldest first."""
    shared = [
        file for file in house.fake.ws.files.values() if room.id in file.shared and file.user == house.fake.ws.bot_user
    ]
    return [(file.name, file.content) for file in shared]


async def test_on_slack_a_dropped_file_becomes_a_document_and_goes_out_again() -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        dropped = house.fake.people.file(alice, "brief.md", BRIEF.encode())
        (added,) = await house.hear(alice, general, "*docs add docs/brief.md", files=[dropped])
        assert added.shown.startswith("`docs/brief.md` is a document of this channel now, version 1.")
        (listed,) = await house.hear(alice, general, "*docs")
        assert "docs/brief.md" in listed.shown and "by alice" in listed.shown

        await house.hear(alice, general, "*doc-out docs/brief.md")
        await house.hear(alice, general, "*docs export")

        (name, text), (archive, data) = uploaded(house, general)
        assert name.startswith("brief-") and text.decode() == BRIEF
        assert archive.endswith(".zip") and in_archive(data) == {"docs/brief.md": BRIEF}


async def test_on_slack_a_refused_file_is_posted_as_messages() -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        await house.store.documents.write("k", house.conversation(general).key, "a.md", 0, "# All of it")
        house.fake.ws.scopes = frozenset(house.fake.ws.scopes) - {"files:write"}

        (shown,) = await house.hear(alice, general, "*doc-out a.md")
        assert "version 1, as a file." in shown.shown and "All of it" in shown.shown
        (told,) = await house.hear(alice, general, "*docs export")
        assert "was refused here" in told.shown


async def test_on_slack_a_document_is_taken_from_the_typists_own_direct_messages() -> None:
    async with slack_house(never) as house:
        alice, bob = house.fake.user("alice"), house.fake.user("bob")
        general = house.fake.channel("general", [alice, bob])
        own = house.fake.people.dm(alice)
        dropped = house.fake.people.file(alice, "plan.md", b"# Plan")
        await house.hear(alice, own, "*docs add plan.md", files=[dropped])

        (other,) = await house.hear(bob, general, "*docs take plan.md")
        (taken,) = await house.hear(alice, general, "*docs take plan.md")

        assert "no document `plan.md` in your direct messages" in other.shown
        assert "`plan.md` is here now, as version 1" in taken.shown


async def test_on_discord_a_dropped_file_becomes_a_document_and_goes_out_again() -> None:
    async with discord_house(never) as house:
        ada, general = house.ada, house.general
        dropped = [("brief.md", BRIEF.encode())]
        (added,) = await house.hear(ada, general, "*docs add docs/brief.md", attachments=dropped)
        assert words(added).startswith("`docs/brief.md` is a document of this channel now, version 1.")

        file, _ = await house.hear(ada, general, "*doc-out docs/brief.md")
        archive, _ = await house.hear(ada, general, "*docs export")

        (text,), (data,) = file.message.attachments, archive.message.attachments
        assert text.filename.startswith("brief-") and text.data.decode() == BRIEF
        assert data.filename.endswith(".zip") and in_archive(data.data) == {"docs/brief.md": BRIEF}


async def test_on_discord_a_document_is_taken_from_the_typists_own_direct_messages() -> None:
    async with discord_house(answering("Hm.")) as house:
        own = house.ada.opens_dm()
        await house.hear(house.ada, own, "*docs add plan.md", attachments=[("plan.md", b"# Plan")])

        (other,) = await house.hear(house.bob, house.general, "*docs take plan.md")
        (taken,) = await house.hear(house.ada, house.general, "*docs take plan.md")

        assert "no document `plan.md` in your direct messages" in words(other)
        assert "`plan.md` is here now, as version 1" in words(taken)
