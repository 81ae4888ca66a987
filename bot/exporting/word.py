"""A document as a Word file: headings, lists, tables and code as Word's own, links to the web and to mail alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph
from docx.text.run import Run
from markdown_it.token import Token

from bot.exporting.marks import SCHEMES, title, tokens

MONOSPACED = "Consolas"
DEEPEST = 3
"""Word's template has styles for so many levels of lists; deeper ones look like the last."""

_ALIGNED = {
    "text-align:center": WD_ALIGN_PARAGRAPH.CENTER,
    "text-align:right": WD_ALIGN_PARAGRAPH.RIGHT,
    "text-align:left": WD_ALIGN_PARAGRAPH.LEFT,
}


def written(markdown: str, name: str) -> bytes:
    """The document as a Word file; its title in the properties is its first heading, else `name`."""
    found = tokens(markdown)
    document = Document()
    properties = document.core_properties
    properties.title, properties.author, properties.comments = title(found, name)[:255], "", ""
    for told in list(properties._element):
        # The library's own template says when that was made.
        if told.tag in (qn("dcterms:created"), qn("dcterms:modified")):
            properties._element.remove(told)
    _Writer(document).write(found)
    file = BytesIO()
    document.save(file)
    return file.getvalue()


@dataclass(slots=True)
class _List:
    """An open list: the number of its next item, or None where it has bullets."""

    number: int | None = None


@dataclass(slots=True)
class _Writer:
    """Puts blocks into a Word document, one after the other."""

    document: WordDocument
    lists: list[_List] = field(default_factory=list)
    quotes: int = 0
    label: str | None = None
    """What the next paragraph begins with, where it is the first of an item."""

    def write(self, found: list[Token]) -> None:
        """All blocks of a text."""
        place = 0
        while place < len(found):
            token = found[place]
            match token.type:
                case "heading_open":
                    paragraph = self.document.add_heading(level=int(token.tag[1:]))
                    _inline(paragraph, found[place + 1])
                case "paragraph_open":
                    _inline(self.paragraph(), found[place + 1])
                case "fence" | "code_block":
                    self.code(token.content)
                case "table_open":
                    place = self.table(found, place)
                case "hr":
                    _ruled(self.document.add_paragraph())
                case _:
                    self.around(token)
            place += 1

    def around(self, token: Token) -> None:
        """What opens and closes around blocks."""
        match token.type:
            case "bullet_list_open":
                self.lists.append(_List())
            case "ordered_list_open":
                self.lists.append(_List(int(token.attrGet("start") or 1) if token.attrGet("start") != 0 else 0))
            case "bullet_list_close" | "ordered_list_close":
                self.lists.pop()
            case "list_item_open":
                number = self.lists[-1].number
                self.label = "" if number is None else f"{number}{token.markup or '.'}"
                if number is not None:
                    self.lists[-1].number = number + 1
            case "list_item_close":
                self.label = None
            case "blockquote_open":
                self.quotes += 1
            case "blockquote_close":
                self.quotes -= 1
            case _:
                pass

    def paragraph(self) -> Paragraph:
        """A new paragraph where the text stands: in an item, a quote, or neither.

        Numbers are written out: Word's own would count on from one list to the next.
        """
        depth = min(len(self.lists), DEEPEST)
        suffix = f" {depth}" if depth > 1 else ""
        label, self.label = self.label, None
        if not self.lists:
            return self.document.add_paragraph(style="Quote" if self.quotes else None)
        if label is None:
            return self.document.add_paragraph(style=f"List Continue{suffix}")
        if not label:
            return self.document.add_paragraph(style=f"List Bullet{suffix}")
        paragraph = self.document.add_paragraph(style=f"List Continue{suffix}")
        paragraph.paragraph_format.first_line_indent = Cm(-0.63)
        paragraph.paragraph_format.tab_stops.add_tab_stop(Cm(0.63 * depth))
        paragraph.add_run(f"{label}\t")
        return paragraph

    def code(self, text: str) -> None:
        """A block of code: one paragraph in a monospaced letter, its lines as they are."""
        self.label = None
        paragraph = self.document.add_paragraph(style="No Spacing")
        # Word wants a paragraph's properties in its schema's order: the shade comes before the space.
        _shaded(paragraph)
        run = paragraph.add_run(text.rstrip("\n"))
        run.font.name, run.font.size = MONOSPACED, Pt(9)
        paragraph.paragraph_format.space_after = Pt(8)

    def table(self, found: list[Token], start: int) -> int:
        """A table; gives the place of its end."""
        rows: list[list[tuple[Token, Token]]] = []
        place = start
        while found[place].type != "table_close":
            token = found[place]
            if token.type == "tr_open":
                rows.append([])
            elif token.type in ("th_open", "td_open"):
                rows[-1].append((token, found[place + 1]))
            place += 1
        table: Table = self.document.add_table(rows=0, cols=len(rows[0]), style="Table Grid")
        for row in rows:
            cells: tuple[_Cell, ...] = table.add_row().cells  # type: ignore[no-untyped-call]  # it has no types
            for cell, (opening, content) in zip(cells, row, strict=False):
                paragraph = cell.paragraphs[0]
                paragraph.alignment = _ALIGNED.get(str(opening.attrGet("style") or ""))
                _inline(paragraph, content, bold=opening.type == "th_open")
        self.document.add_paragraph()
        return place


def _inline(paragraph: Paragraph, token: Token, *, bold: bool = False) -> None:
    """The words of a block with their emphasis, code and links."""
    strong, emphasis, struck = int(bold), 0, 0
    target = ""
    for child in token.children or ():
        match child.type:
            case "strong_open" | "strong_close":
                strong += child.nesting
            case "em_open" | "em_close":
                emphasis += child.nesting
            case "s_open" | "s_close":
                struck += child.nesting
            case "link_open":
                target = str(child.attrGet("href") or "")
            case "link_close":
                target = ""
            case "hardbreak":
                paragraph.add_run().add_break()
            case _:
                run = paragraph.add_run(" " if child.type == "softbreak" else child.content)
                run.bold, run.italic, run.font.strike = strong > 0 or None, emphasis > 0 or None, struck > 0 or None
                if child.type == "code_inline":
                    run.font.name = MONOSPACED
                if target.partition(":")[0].casefold() in SCHEMES:
                    _linked(paragraph, run, target)


def _linked(paragraph: Paragraph, run: Run, target: str) -> None:
    """Make of a run a link out of the file."""
    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), paragraph.part.relate_to(target, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    run.font.underline = True
    link.append(run._r)
    paragraph._p.append(link)


def _shaded(paragraph: Paragraph) -> None:
    shade = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", "F2F2F2")):
        shade.set(qn(f"w:{name}"), value)
    paragraph._p.get_or_add_pPr().append(shade)


def _ruled(paragraph: Paragraph) -> None:
    borders = OxmlElement("w:pBdr")
    bottom = OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "999999")):
        bottom.set(qn(f"w:{name}"), value)
    borders.append(bottom)
    paragraph._p.get_or_add_pPr().append(borders)
