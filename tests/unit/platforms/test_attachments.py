"""Files as text: what is read, how much of it, and what people are told of the rest."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from io import BytesIO

import pytest
from pypdf import PdfReader, PdfWriter

from bot.core.model import Attachment
from bot.platforms import pdf
from bot.platforms.attachments import PDF_BYTES, kind_of, read_text

ROOM = 1000


class Download:
    """The bytes of a file in pieces; it knows how many were taken, and whether it was closed."""

    def __init__(self, data: bytes, piece: int = 64) -> None:
        self.data, self.piece = data, piece
        self.taken = 0
        self.closed = False

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            for at in range(0, len(self.data), self.piece):
                self.taken += len(self.data[at : at + self.piece])
                yield self.data[at : at + self.piece]
        finally:
            self.closed = True


async def read(name: str, data: bytes, media: str = "", room: int = ROOM) -> Attachment:
    file = Attachment(name, len(data), media, "ref")
    return await read_text(file, Download(data).chunks(), room)


# ---------------------------------------------------------------- kinds


@pytest.mark.parametrize(
    ("name", "media", "kind"),
    [
        ("notes.md", "", "text"),
        ("NOTES.TXT", "application/octet-stream", "text"),
        ("api.ts", "video/mp2t", "text"),
        ("Dockerfile", "", "text"),
        ("drawing.svg", "image/svg+xml", "text"),
        ("data", "application/json; charset=utf-8", "text"),
        ("feed", "application/atom+xml", "text"),
        ("snippet", "text/x-anything", "text"),
        ("unheard.of", "", "text"),
        ("spec.PDF", "", "pdf"),
        ("spec", "application/pdf", "pdf"),
        ("photo.png", "", "image"),
        ("photo", "image/webp", "image"),
        ("song.mp3", "", "other"),
        ("voice", "audio/ogg", "other"),
        ("plan.docx", "application/octet-stream", "other"),
        ("all.zip", "", "other"),
        ("thing", "model/stl", "other"),
    ],
)
def test_an_ending_counts_for_more_than_a_guessed_media_type(name: str, media: str, kind: str) -> None:
    assert kind_of(name, media) == kind


@pytest.mark.parametrize(
    ("name", "media", "what", "instead"),
    [
        ("photo.png", "", "is an image", "describe it in words"),
        ("talk.mp3", "", "is a sound recording", "as text"),
        ("voice", "audio/ogg", "is a sound recording", "as text"),
        ("demo.mov", "", "is a video", "in words"),
        ("all.zip", "", "is an archive", "by themselves"),
        ("plan.docx", "", "is an office document", "PDF"),
        ("sums.xlsx", "", "is a spreadsheet", "CSV"),
        ("pitch.pptx", "", "is a presentation", "PDF"),
        ("setup.exe", "", "is a program", "as text"),
        ("thing", "model/stl", "is of a kind that I cannot read", "as text"),
    ],
)
async def test_what_cannot_be_read_is_declined_with_what_to_do_and_not_downloaded(
    name: str, media: str, what: str, instead: str
) -> None:
    download = Download(b"x" * 1000)
    file = await read_text(Attachment(name, 1000, media, "ref", text="old", cut=True), download.chunks(), ROOM)
    assert file.text is None and not file.cut and file.ref == "ref"
    assert file.problem.startswith(f"`{name}` {what}") and instead in file.problem
    assert download.taken == 0


# ---------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain", "plain"),
        ("Grüße, 世界 🏗️".encode(), "Grüße, 世界 🏗️"),
        ("Grüße".encode("utf-8-sig"), "Grüße"),
        ("Grüße 世界".encode("utf-16"), "Grüße 世界"),
        (b"\xfe\xff" + "Grüße".encode("utf-16-be"), "Grüße"),
        ("Grüße".encode("utf-32"), "Grüße"),
        ("Die Grüße der Straße, “so”".encode("cp1252"), "Die Grüße der Straße, “so”"),
        (b"one\r\ntwo\rthree\n", "one\ntwo\nthree\n"),
        (b"\x1b[31mERROR\x1b[0m in line 7: " + b"something went wrong " * 10, None),
    ],
)
async def test_text_is_read_in_the_encodings_that_people_have(data: bytes, text: str | None) -> None:
    file = await read("notes.txt", data)
    assert file.text == (text if text is not None else data.decode())
    assert not file.cut and file.problem == ""


@pytest.mark.parametrize(
    "data",
    [
        "Привет, мир".encode("cp1251"),
        "日本語のテキスト".encode("shift_jis"),
        b"ab\x81\x8d\x8f",
        b"\xff\xfe\x00\xd8",
        b"\xe9\xe8",
    ],
)
async def test_an_encoding_that_would_only_be_guessed_is_told(data: bytes) -> None:
    file = await read("notes.txt", data)
    assert file.text is None
    assert file.problem.startswith("`notes.txt` is") and "save it as UTF-8" in file.problem


@pytest.mark.parametrize(
    "data", [b"a\0b", b"words " * 99 + b"\0", bytes(range(1, 32)) * 20, "a\0b".encode("utf-16"), b"\xff\x00\xfe" * 9]
)
async def test_binary_data_is_no_text_whatever_its_name(data: bytes) -> None:
    file = await read("notes.txt", data)
    assert file.text is None
    assert "is not a text file" in file.problem


@pytest.mark.parametrize("data", [b"", b" \r\n\t", b"\xef\xbb\xbf"])
async def test_an_empty_file_is_told(data: bytes) -> None:
    assert (await read("notes.txt", data)).problem == "`notes.txt` is empty."


@pytest.mark.parametrize("letter", ["a", "ü", "世", "🏗"])
@pytest.mark.parametrize("piece", [1, 7, 4096])
async def test_a_long_text_is_cut_at_the_room_and_no_more_than_needed_is_downloaded(letter: str, piece: int) -> None:
    download = Download((letter * 5000).encode(), piece)
    file = await read_text(Attachment("big.log", len(download.data)), download.chunks(), 100)
    assert file.text == letter * 100
    assert file.cut
    assert download.taken <= 4 * 100 + 4 + piece
    assert download.closed


async def test_a_text_of_just_the_room_is_whole() -> None:
    file = await read("a.txt", b"x" * 100, room=100)
    assert file.text == "x" * 100 and not file.cut
    file = await read("a.txt", b"x" * 101, room=100)
    assert file.text == "x" * 100 and file.cut


async def test_a_download_that_breaks_off_is_the_callers_to_tell() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"begin"
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await read_text(Attachment("a.txt"), broken(), ROOM)


async def test_a_name_cannot_break_out_of_its_sentence() -> None:
    file = await read("a`\n\n*exit*\u202e.png", b"")
    assert file.problem == "`a' *exit* .png` is an image, and I cannot see images here; describe it in words."


# ---------------------------------------------------------------- PDF


def pages(*texts: str, stream: bytes | None = None) -> bytes:
    """A PDF with a page for each text; with `stream`, every page is drawn by that, deflated."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    kids = []
    for text in texts:
        drawn = zlib.compress(stream if stream is not None else f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET".encode())
        number = len(objects) + 1
        kids.append(f"{number} 0 R")
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>"
            f"/Contents {number + 1} 0 R>>".encode()
        )
        objects.append(b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(drawn), drawn))
    objects[1] = f"<</Type/Pages/Kids[{' '.join(kids)}]/Count {len(texts)}>>".encode()
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(out))
    return out + head + table + tail


def locked(data: bytes, password: str) -> bytes:
    writer = PdfWriter()
    writer.append(PdfReader(BytesIO(data)))
    writer.encrypt(password, "owner", algorithm="RC4-128")
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


async def test_the_pages_of_a_pdf_are_read() -> None:
    file = await read("spec.pdf", pages("Hello there", "Second page"))
    assert file.text == "Hello there\n\nSecond page"
    assert not file.cut and file.problem == ""


async def test_a_long_pdf_is_cut_at_the_room() -> None:
    file = await read("spec.pdf", pages(*("word " * 100,) * 20), room=600)
    assert file.text is not None and len(file.text) == 600
    assert file.cut


def test_a_pdf_of_very_many_pages_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "PAGES", 3)
    assert pdf.read(pages(*"abcde"), ROOM) == pdf.Text("a\n\nb\n\nc", cut=True)
    assert pdf.read(pages(*"abc"), ROOM) == pdf.Text("a\n\nb\n\nc", cut=False)


def test_a_pdf_that_takes_long_is_read_as_far_as_it_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "ENOUGH", -1.0)
    assert pdf.read(pages("a", "b"), ROOM) == "too slow"


async def test_a_pdf_without_text_is_told_to_be_a_scan() -> None:
    assert "as a scanner makes them" in (await read("scan.pdf", pages("", stream=b"0 0 10 10 re f"))).problem


async def test_a_pdf_behind_a_password_is_told_and_one_that_anybody_may_open_is_read() -> None:
    file = await read("secret.pdf", locked(pages("Hello"), "swordfish"))
    assert file.text is None and "is protected by a password" in file.problem
    assert (await read("open.pdf", locked(pages("Hello"), ""))).text == "Hello"


@pytest.mark.parametrize(
    "data", [b"", b"no pdf at all", b"%PDF-1.4\n%%EOF", pages("Hello")[:150], b"%PDF-" + bytes(range(256)) * 40]
)
async def test_a_damaged_pdf_is_told(data: bytes) -> None:
    file = await read("broken.pdf", data)
    assert file.text is None
    assert "could not be read as a PDF" in file.problem


async def test_a_pdf_that_is_too_large_is_told_and_not_downloaded() -> None:
    download = Download(b"x" * 1000)
    file = await read_text(Attachment("huge.pdf", PDF_BYTES + 1), download.chunks(), ROOM)
    assert file.text is None and "has 10.5 MB" in file.problem and "send the pages that matter" in file.problem
    assert download.taken == 0


async def test_a_pdf_that_is_larger_than_it_said_is_given_up_on_the_way() -> None:
    download = Download(b"x" * (2 * PDF_BYTES), 1024 * 1024)
    file = await read_text(Attachment("sly.pdf", 10), download.chunks(), ROOM)
    assert "is very large" in file.problem
    assert download.taken <= PDF_BYTES + 1024 * 1024


async def test_a_pdf_that_unpacks_to_far_too_much_harms_nobody() -> None:
    bomb = pages("", stream=b"BT (x) Tj ET\n" * 20_000_000)
    assert len(bomb) < PDF_BYTES
    file = await read("bomb.pdf", bomb)
    assert file.text is None and file.problem.startswith("`bomb.pdf` ")


async def test_a_pdf_that_keeps_its_reader_busy_is_ended_while_others_go_on() -> None:
    slow = pages("", stream=b"BT /F1 1 Tf " + b"(x) Tj " * 3_000_000 + b"ET")
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    assert await pdf.text_of(slow, ROOM, patience=0.5) == "too slow"
    assert ticks >= 5
    ticking.cancel()


async def test_whoever_stops_waiting_for_a_pdf_leaves_no_process_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[asyncio.subprocess.Process] = []
    has_begun = asyncio.Event()
    real = asyncio.create_subprocess_exec

    async def noted(*args: object, **how: object) -> asyncio.subprocess.Process:
        begun.append(await real(*args, **how))  # type: ignore[arg-type]
        has_begun.set()
        return begun[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    slow = pages("", stream=b"BT /F1 1 Tf " + b"(x) Tj " * 3_000_000 + b"ET")
    reading = asyncio.create_task(pdf.text_of(slow, ROOM))
    await has_begun.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert begun[0].returncode is not None


def test_what_cannot_be_stored_is_taken_out() -> None:
    assert pdf._clean("a\0b\ud800c") == "ab?c"


def test_an_attachment_keeps_what_it_was() -> None:
    file = Attachment("a.txt", 5, "text/plain", "F1")
    read = asyncio.run(read_text(file, Download(b"hello").chunks(), ROOM))
    assert read == replace(file, text="hello")
