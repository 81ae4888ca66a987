"""What a step leads to: requests, posts, and entries of the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.core.model import Menu, Voice, Whisper

Shape = Literal["talk", "draft", "silent", "redraft", "finding"]
"""What becomes of a model's words on the way to people: see `bot.core.shapes`.

talk: a persona's own words. draft: a text that is proposed, byte for byte. silent: nobody sees them. redraft: a text
that is proposed, or an answer in words. finding: words, and a text that the host shows itself.
"""


@dataclass(frozen=True, slots=True)
class AskModel:
    """Let `who` speak next, in that shape.

    Of a text that is proposed, `head` is what the host puts above it, in preview and post, and `brief` what the host
    makes of it (`bot.core.documents.brief`).
    """

    who: str
    shape: Shape = "talk"
    head: str = ""
    brief: str = ""


@dataclass(frozen=True, slots=True)
class LoadResource:
    """Read a resource of the library for `who`."""

    who: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class ReadLibrary:
    """Read the persona files again."""


@dataclass(frozen=True, slots=True)
class TellBudget:
    """Say what may be spent here today, after having raised it by so many tokens and millionths of a dollar.

    `by` is the user who wants it raised.
    """

    tokens: int = 0
    micros: int = 0
    by: str = ""


@dataclass(frozen=True, slots=True)
class ForgetAll:
    """Wipe the conversation: what was said, where it stands, and what waits. Nothing comes back from it."""


@dataclass(frozen=True, slots=True)
class Recall:
    """Read texts that were kept in the log (`Entry("kept", ...)`), by their ids."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """Read a document of this space; with `version` above 0 an earlier one.

    With `against` above 0, that version is read too, for a comparison.
    """

    path: str
    version: int = 0
    against: int = 0


@dataclass(frozen=True, slots=True)
class WriteDocument:
    """Write a document of this space: the kept texts `parts` in order, as the successor of version `base`.

    `base` is 0 where there is to be none yet. `meta` is JSON text that goes with the version.
    """

    path: str
    base: int
    parts: tuple[str, ...]
    meta: str = "{}"


@dataclass(frozen=True, slots=True)
class OpenThread:
    """Open a thread below the post before this request, and hand it a work: `command` with `args` for `persona`.

    The step that asks for it says something that everybody sees, last; the thread hangs on that.
    """

    title: str
    persona: str
    command: str
    args: str = ""


@dataclass(frozen=True, slots=True)
class ListDocuments:
    """Tell which documents this space has."""


@dataclass(frozen=True, slots=True)
class DocumentHistory:
    """Tell which versions a document has."""

    path: str


@dataclass(frozen=True, slots=True)
class RenameDocument:
    """Give the document that stands at `path` in version `base` the path `to`; its versions come along."""

    path: str
    base: int
    to: str


@dataclass(frozen=True, slots=True)
class DeleteDocument:
    """Delete the document that stands at `path` in version `base`, with all its versions."""

    path: str
    base: int


@dataclass(frozen=True, slots=True)
class CopyDocument:
    """Write what stands at `source` (in `version`, or as it is now) to `path`, as the successor of version `base`.

    With `own` it comes from the direct messages of whoever asked. `meta` is JSON text whose keys win over those of what
    is copied; approvals are not copied.
    """

    path: str
    base: int
    source: str
    version: int = 0
    own: bool = False
    meta: str = "{}"


Request = (
    AskModel
    | LoadResource
    | ReadLibrary
    | TellBudget
    | ForgetAll
    | Recall
    | ReadDocument
    | WriteDocument
    | OpenThread
    | ListDocuments
    | DocumentHistory
    | RenameDocument
    | DeleteDocument
    | CopyDocument
)


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """A version of a document of this space as a file; without a path, all documents as a zip archive.

    `form` is what it is to be: md as it stands, html or docx.
    """

    path: str = ""
    version: int = 0
    form: str = "md"


@dataclass(frozen=True, slots=True)
class Post:
    """Something to be said. `completes` is the ordinal of the ask that this is the reply of; `only` may see it.

    Where the host quotes people, `id` is the message that it quotes and `user` its author, so that the words go with
    them. `file` goes up with it; it is named here and read when the post is made, so that no text is stored twice.
    """

    voice: Voice
    markdown: str
    menu: Menu | None = None
    completes: int | None = None
    only: Whisper | None = None
    id: str = ""
    user: str = ""
    file: DocumentFile | None = None

    @property
    def offers(self) -> bool:
        """Whether a number typed below this may be meant for it: a menu, or words of a model."""
        return self.menu is not None or self.completes is not None


@dataclass(frozen=True, slots=True)
class Record:
    """A line of the audit trail: what was decided, by whom, and the hash of the text that they saw."""

    what: str
    who: str
    sha: str = ""


EntryKind = Literal["on", "off", "said", "reply", "result", "note", "compact", "kept"]


HERE = "here"
"""What a note has as its `call` that tells a persona where and when it is: nothing that wants an answer."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the conversation's append-only log.

    on, off: persona `who` came or went. said: a human `name` (`who` is the platform's id) spoke. reply: a
    persona's words, with the model's `content` blocks as JSON text, byte for byte. result: the answer to the tool
    call `call` of `who`. note: something the host did that a later prompt of `who` should know. compact: what `who`
    summed up of everything above; its prompts begin here, but for the last few lines above. kept: a text of a work that
    `Recall` finds by `id`; it is in no prompt.

    A note or result that names a human has their id in `user` and the name in `name`; one that holds words of a message
    has that in `id`. So both go with the person, and the words with the message.
    """

    kind: EntryKind
    who: str
    text: str = ""
    name: str = ""
    content: str = ""
    call: str = ""
    id: str = ""
    user: str = ""
