"""A file that came with a message, as text: what can be read of it, and in words why not."""

from __future__ import annotations

import codecs
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import aiohttp
from yarl import URL

from bot.core.model import Attachment
from bot.core.modes.files import label, size
from bot.platforms import pdf
from bot.ports.transport import TransportError

Kind = Literal["text", "pdf", "image", "other"]

PDF_BYTES = 10 * 1024 * 1024
"""A PDF of more bytes is not read: its table of contents stands at its end, so a part of it is worth nothing."""

_ENDINGS: dict[str, tuple[str, ...]] = {
    "text": (
        "txt text md markdown mdown mdx rst adoc asciidoc org tex log out diff patch csv tsv tab",
        "json jsonl ndjson json5 yaml yml toml ini cfg conf properties env editorconfig lock plist",
        "xml xsd xsl xslt svg html htm xhtml css scss sass less vue svelte astro jinja j2 tmpl mustache hbs",
        "py pyi ipynb js mjs cjs jsx ts tsx mts java kt kts scala groovy gradle clj cljs c h cc cpp cxx hh hpp hxx cs",
        "fs fsx vb go rs swift m mm rb erb php pl pm lua r jl dart ex exs erl hrl hs elm ml mli nim zig pas f90 for",
        "sh bash zsh fish ps1 psm1 bat cmd awk sed vim el lisp scm sql graphql gql proto thrift tf tfvars hcl bicep",
        "asm s cmake mk make dockerfile nix bzl puml plantuml mmd mermaid feature http srt vtt ics vcf eml",
        "gitignore dockerignore gitattributes npmrc",
    ),
    "pdf": ("pdf",),
    "image": ("png jpg jpeg jpe gif webp bmp tif tiff heic heif avif ico psd ai eps raw cr2 nef",),
    "sound": ("mp3 wav ogg oga opus m4a aac flac wma aiff amr mid midi",),
    "video": ("mp4 mov avi mkv webm wmv m4v mpg mpeg 3gp flv",),
    "archive": ("zip tar gz tgz bz2 xz zst 7z rar jar war iso dmg whl deb rpm apk",),
    "writing": ("doc docx docm dot dotx odt rtf pages wpd epub mobi",),
    "sheet": ("xls xlsx xlsm xlsb ods numbers",),
    "slides": ("ppt pptx pptm odp key",),
    "program": ("exe dll so dylib bin msi class pyc o a wasm sqlite sqlite3 db parquet pkl npy",),
}
_SORTS = {ending: sort for sort, lines in _ENDINGS.items() for line in lines for ending in line.split()}
_NAMES = frozenset(("makefile", "dockerfile", "jenkinsfile", "vagrantfile", "gemfile", "rakefile", "procfile"))
_MEDIA = frozenset(
    f"application/{word}"
    for line in (
        "json x-ndjson yaml x-yaml toml xml javascript x-javascript ecmascript typescript x-sh x-shellscript",
        "sql graphql x-httpd-php x-python x-ruby x-perl x-tex x-subrip",
    )
    for word in line.split()
)
_UNTOLD = frozenset(("", "application/octet-stream", "binary/octet-stream"))

_INSTEAD = {
    "image": "is an image, and I cannot see images here; describe it in words.",
    "sound": "is a sound recording, and I cannot hear here; send what is said in it as text.",
    "video": "is a video, and I cannot watch videos here; describe in words what matters in it.",
    "archive": "is an archive, and I do not open archives; send the files in it that matter by themselves.",
    "writing": "is an office document, which I cannot read; save it as PDF, Markdown or plain text.",
    "sheet": "is a spreadsheet, which I cannot read; save the sheet that matters as CSV.",
    "slides": "is a presentation, which I cannot read; save it as PDF, or send its text.",
    "program": "is a program or binary data, which I cannot read; send what matters in it as text.",
    "other": "is of a kind that I cannot read; send what matters in it as text, Markdown, CSV or PDF.",
}
"""What a file that is not read is, and what to send instead."""

# ---------------------------------------------------------------- kinds


def kind_of(name: str, media: str) -> Kind:
    """What a file of that name and media type is to be read as.

    A known ending counts for more than the media type, which browsers guess (`.ts` is a video to many of them). A
    file that neither tells of is tried as text.
    """
    match _sort(name, media):
        case "text" | "pdf" | "image" as kind:
            return kind
        case _:
            return "other"


def unreadable(name: str, media: str) -> str:
    """Why a file of kind `image` or `other` is not read, and what to send instead."""
    return f"{label(name)} {_INSTEAD[_sort(name, media)]}"


def _sort(name: str, media: str) -> str:
    """`kind_of`, with `other` told apart: one of the keys of `_ENDINGS`, or `other`."""
    name, media = name.casefold(), media.casefold().partition(";")[0].strip()
    if name in _NAMES:
        return "text"
    if known := _SORTS.get(name.rpartition(".")[2]) if "." in name else None:
        return known
    major = media.partition("/")[0]
    if major == "text" or media in _MEDIA | _UNTOLD or media.endswith(("+json", "+xml", "+yaml")):
        return "text"
    if media == "application/pdf":
        return "pdf"
    return {"image": "image", "audio": "sound", "video": "video"}.get(major, "other")


# ---------------------------------------------------------------- fetching

CHUNK = 65536
PATIENCE = 15.0
"""Seconds that one try to fetch a file may take; the turn tries three times within a minute."""

HOPS = 3
"""So many redirects are followed, within a platform's own hosts."""

LATER = frozenset((408, 425, 429, 500, 502, 503, 504))
"""What a host answers where the same file may be had a little later."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a platform keeps the files of people.

    `origins` are scheme, host and port of its own hosts, such as `https://files.example.com`. Nothing is fetched from
    anywhere else, also not where one of them redirects there, so that `headers` with a token go nowhere else. `gone` is
    what a host answers for a file that is not there any more.
    """

    platform: str
    origins: frozenset[str]
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    gone: frozenset[int] = frozenset((404, 410))

    def has(self, address: URL) -> bool:
        """Whether that address is of one of its hosts."""
        try:
            return address.is_absolute() and address.user is None and str(address.origin()) in self.origins
        except ValueError:  # an address without a host, or with a port that is none
            return False


class WithheldError(Exception):
    """A file that cannot be had, also not later; the text goes on from the file's name."""


async def fetched(file: Attachment, source: Source, session: aiohttp.ClientSession, room: int) -> Attachment:
    """The file behind the address `file.ref` with at most `room` characters of its text, or with its problem.

    Raises TransportError where it may be fetched a little later.
    """
    try:
        return await read_text(file, _chunks(file, source, session), room)
    except WithheldError as error:
        return _with_problem(file, f"{label(file.name)} {error}")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        why = str(error) or type(error).__name__
        raise TransportError(f"{source.platform}'s host for files does not answer: {why}") from error


async def _chunks(file: Attachment, source: Source, session: aiohttp.ClientSession) -> AsyncIterator[bytes]:
    try:
        address = URL(file.ref, encoded=True)  # an address may be signed, so it goes out as it came in
    except ValueError:
        raise WithheldError("has an address that I cannot read; send it again.") from None
    limit = aiohttp.ClientTimeout(total=PATIENCE)
    for _ in range(HOPS + 1):
        if not source.has(address):
            raise WithheldError(f"is not kept by {source.platform} itself, so I do not fetch it; paste what matters.")
        asked = session.get(address, headers=source.headers, allow_redirects=False, timeout=limit)
        async with asked as answer:
            if answer.status in (301, 302, 303, 307, 308):
                address = address.join(URL(answer.headers.get("Location", ""), encoded=True))
                continue
            if answer.status in LATER:
                raise TransportError(f"{source.platform} answers HTTP {answer.status}")
            if answer.status in source.gone:
                raise WithheldError("is not there any more; send it again.")
            # A page where another kind of file should be is one for signing in, or for telling of an error.
            if answer.status != 200 or (answer.content_type == "text/html" and "html" not in file.media):
                raise WithheldError(f"was not given to me by {source.platform}; send it again, or paste what matters.")
            async for chunk in answer.content.iter_chunked(CHUNK):
                yield chunk
            return
    raise WithheldError(f"was not given to me by {source.platform}, which only redirects; paste what matters.")


# ---------------------------------------------------------------- reading


async def read_text(file: Attachment, chunks: AsyncIterator[bytes], room: int) -> Attachment:
    """The file with at most the first `room` characters of its text, or with its problem.

    `chunks` are its bytes as they are downloaded. No more of them are taken than are needed, which is none for what
    cannot be read; a generator is closed in any case. Line ends become LF. Raises only what `chunks` raises.
    """
    try:
        match kind_of(file.name, file.media):
            case "text":
                # Of no encoding that is read does a character take more than four bytes; four more are for its mark.
                data, more = await _first(chunks, 4 * room + 4)
                return _text(file, data, more, room)
            case "pdf":
                data, more = await _first(chunks, PDF_BYTES) if file.size <= PDF_BYTES else (b"", True)
                return await _pdf(file, data, more, room)
            case _:
                return _with_problem(file, unreadable(file.name, file.media))
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()


async def _first(chunks: AsyncIterator[bytes], most: int) -> tuple[bytes, bool]:
    """The first `most` bytes, and whether there are more."""
    data = bytearray()
    async for chunk in chunks:
        data += chunk
        if len(data) > most:
            return bytes(data[:most]), True
    return bytes(data), False


def _with_problem(file: Attachment, problem: str) -> Attachment:
    return replace(file, text=None, cut=False, problem=problem)


def _with_text(file: Attachment, text: str, more: bool, room: int) -> Attachment:
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    if not plain.strip():
        return _with_problem(file, f"{label(file.name)} is empty.")
    return replace(file, text=plain[:room], cut=more or len(plain) > room, problem="")


# ---------------------------------------------------------------- text

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins with UTF-16's mark, so it is looked for first
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

ACCENTS = 0.3
"""Up to this share of its letters outside ASCII a text in no known encoding is taken for Western European; German and
French have some 5 %, while Russian or Greek in an encoding of their own would have nearly all."""

CONTROLS = 0.02
"""Up to this share of control characters, as colours in logs are, something is still text."""


def _text(file: Attachment, data: bytes, more: bool, room: int) -> Attachment:
    """Text in UTF-8, in UTF-16 or UTF-32 with a byte order mark, or in what looks like Windows-1252."""
    mark, encoding = next(((m, e) for m, e in _MARKS if data.startswith(m)), (b"", "utf-8"))
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data[len(mark) :], final=not more)
    except UnicodeDecodeError:
        western = "" if mark else _western(data)
        if not western:
            told = "is in an encoding that I cannot make out" if b"\0" not in data else "is not a text file"
            return _with_problem(file, f"{label(file.name)} {told}; if it is text, save it as UTF-8.")
        text = western
    if _is_binary(text):
        return _with_problem(file, f"{label(file.name)} is not a text file; send what matters in it as text.")
    return _with_text(file, text, more, room)


def _western(data: bytes) -> str:
    """`data` read as Windows-1252; empty where it does not look like a text of Western Europe."""
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return ""
    letters = [c for c in text if c.isalpha()]
    foreign = sum(not c.isascii() for c in text)
    return text if letters and foreign <= ACCENTS * len(letters) else ""


def _is_binary(text: str) -> bool:
    odd = sum(c < " " and c not in "\t\n\r\f\v" for c in text)
    return "\0" in text or odd > CONTROLS * len(text)


# ---------------------------------------------------------------- PDF

_PDF_PROBLEMS: dict[pdf.Problem, str] = {
    "encrypted": "is protected by a password; save a copy without one, or send its text.",
    "broken": "could not be read as a PDF: it is damaged, or made in a way that I do not know; send its text.",
    "no text": "holds no text, only pictures of pages as a scanner makes them, which I cannot see; send its text.",
    "too slow": "took too long to read; send the pages that matter by themselves, or as text.",
}


async def _pdf(file: Attachment, data: bytes, more: bool, room: int) -> Attachment:
    if more:
        how = f"has {size(file.size)}" if file.size > PDF_BYTES else "is very large"
        limit = f"a PDF may have at most {size(PDF_BYTES)}"
        return _with_problem(file, f"{label(file.name)} {how}, and {limit}; send the pages that matter by themselves.")
    found = await pdf.text_of(data, room)
    if isinstance(found, pdf.Text):
        return _with_text(file, found.text, found.cut, room)
    return _with_problem(file, f"{label(file.name)} {_PDF_PROBLEMS[found]}")
