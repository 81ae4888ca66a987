"""Documents as files: what people need is kept, and nothing in them loads, runs or leads astray."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from io import BytesIO
from zipfile import ZipFile

import pytest
from docx import Document
from docx.document import Document as WordDocument
from docx.opc.constants import RELATIONSHIP_TYPE
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.exporting.documents import FORMATS, Exported, ExportError, export, fenced
from bot.exporting.marks import is_safe

TEXT = """\
# Rota *PRD*

Words with **weight**, `code`, ~~no~~ and a [link](https://example.com/a?b=1&c=2).

1. one
   - [ ] open
   - [x] done

     more of it
2. two

3) three

| Name | Cost |
|------|-----:|
| `a`  | 1 \\| 2 |

```python
def f():
\treturn "<b>"
```

> quoted

---

![a picture](https://example.com/x.png) by [mail](mailto:ana@example.com), see [brief](./brief.md#goals)
"""

HOSTILE = """\
<script>alert(1)</script> <img src=x onerror=alert(1)> <iframe src="https://example.com"></iframe>

[a](javascript:alert(1)) [b](data:text/html,x) [c](vbscript:x) [d](//example.com/x) [e](file:///etc/passwd)
![x](javascript:alert(1)) ![y](data:image/svg+xml,x) [![z](https://example.com/z.png)](https://example.com)
[f](https://example.com "x\\" onmouseover=\\"alert(1)") <https://example.com> <javascript:alert(1)>

[g]: javascript:alert(1)
[g] &lt;script&gt; \x00 \x1b[31m

<style>@import url(https://example.com)</style>

```"><script>
x
```

# <svg onload=alert(1)>
"""


class Page(HTMLParser):
    """What a browser would find in a page: its tags with their attributes, and its words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words += data

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page(text: str) -> Page:
    return Page(export("docs/a.md", text, "html").data.decode("utf-8"))


def word(text: str, path: str = "docs/a.md") -> WordDocument:
    return Document(BytesIO(export(path, text, "docx").data))


def links(document: WordDocument) -> list[str]:
    relations = document.part.rels.values()
    return sorted(each.target_ref for each in relations if each.reltype == RELATIONSHIP_TYPE.HYPERLINK)


def test_markdown_is_the_document_as_it_is() -> None:
    assert export("docs/prd.md", TEXT, "md") == Exported("prd.md", "text/markdown; charset=utf-8", TEXT.encode())
    assert export("a/1.2-x.yml", "schema: 1\n", "md") == Exported(
        "1.2-x.yml", "application/yaml; charset=utf-8", b"schema: 1\n"
    )


def test_html_keeps_tables_code_lists_and_links() -> None:
    file = export("docs/prd.md", TEXT, "html")
    found = page(TEXT)

    assert (file.name, file.media_type) == ("prd.html", "text/html; charset=utf-8")
    assert '<pre><code class="language-python">def f():\n\treturn "&lt;b&gt;"\n</code></pre>' in file.data.decode()
    assert [len(found.of(tag)) for tag in ("h1", "table", "th", "td", "ol", "ul", "li", "blockquote", "s")] == [
        *(1, 1, 2, 2, 2, 1, 5, 1, 1),
    ]
    assert [a["href"] for a in found.of("a")] == [
        *("https://example.com/a?b=1&c=2", "https://example.com/x.png", "mailto:ana@example.com", "./brief.md#goals"),
    ]
    assert found.words.count("Rota PRD") == 2  # the page's title and its heading
    assert "☐ open" in found.words and "☑ done" in found.words
    assert any(cell.get("style") == "text-align:right" for cell in found.of("td"))


def test_word_keeps_tables_code_lists_and_links() -> None:
    document = word(TEXT)

    shown = [(p.style.name if p.style else "", p.text) for p in document.paragraphs if p.text]
    assert shown == [
        ("Heading 1", "Rota PRD"),
        ("Normal", "Words with weight, code, no and a link."),
        ("List Continue", "1.\tone"),
        ("List Bullet 2", "☐ open"),
        ("List Bullet 2", "☑ done"),
        ("List Continue 2", "more of it"),
        ("List Continue", "2.\ttwo"),
        ("List Continue", "3)\tthree"),
        ("No Spacing", 'def f():\n\treturn "<b>"'),
        ("Quote", "quoted"),
        ("Normal", "a picture by mail, see brief"),
    ]
    (table,) = document.tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [["Name", "Cost"], ["a", "1 | 2"]]
    assert links(document) == [
        *("https://example.com/a?b=1&c=2", "https://example.com/x.png", "mailto:ana@example.com"),
    ]
    assert document.core_properties.title == "Rota PRD"
    assert (document.core_properties.author, document.core_properties.created) == ("", None)


def test_the_properties_of_a_word_paragraph_stand_in_the_order_of_its_schema() -> None:
    xml = ZipFile(BytesIO(export("a.md", TEXT, "docx").data)).read("word/document.xml").decode()
    order = ["pStyle", "pBdr", "shd", "tabs", "spacing", "ind", "jc"]

    blocks = re.findall(r"<w:pPr>(.*?)</w:pPr>", xml, re.DOTALL)
    assert len(blocks) > 8
    for block in blocks:
        names = [name for name in re.findall(r"<w:(\w+)", block) if name in order]
        assert names == sorted(names, key=order.index)


def test_what_a_model_slipped_in_does_nothing_in_html() -> None:
    found = page(HOSTILE)

    assert {tag for tag, _ in found.tags} <= {
        *("html", "head", "meta", "title", "style", "body", "p", "a", "pre", "code", "h1"),
    }
    assert all(
        name in ("href", "rel", "class", "title")
        for tag in ("a", "p", "code", "h1")
        for a in found.of(tag)
        for name in a
    )
    assert {a["href"].partition(":")[0] for a in found.of("a")} == {"https"}
    assert {a["rel"] for a in found.of("a")} == {"noopener noreferrer"}
    assert "<script>alert(1)</script>" in found.words
    assert len(found.of("style")) == 1
    assert found.of("meta")[1]["content"].startswith("default-src 'none'")


def test_what_a_model_slipped_in_does_nothing_in_word() -> None:
    document = word(HOSTILE)

    assert all(link.startswith("https://example.com") for link in links(document))
    assert "<script>alert(1)</script>" in document.paragraphs[0].text


@pytest.mark.parametrize(
    ("target", "safe"),
    [
        ("https://example.com", True),
        ("HTTP://example.com", True),
        ("mailto:a@b.c", True),
        ("./a.md#b", True),
        ("#b", True),
        ("javascript:alert(1)", False),
        ("JavaScript:alert(1)", False),
        ("data:text/html,x", False),
        ("file:///etc/passwd", False),
        ("//example.com", False),
        ("\\\\server\\share", False),
        ("https:///x", False),
        ("http://[", False),
    ],
)
def test_links_lead_to_the_web_to_mail_and_within_the_documents(target: str, safe: bool) -> None:
    assert is_safe(target) is safe


def test_a_document_in_yaml_is_code_in_the_other_formats() -> None:
    text = 'schema: 1\nnote: "```"\n'

    assert page(text).of("pre") == []
    assert b"<pre><code" in export("a/1.2.yml", text, "html").data
    (shown,) = [p for p in word(text, "a/1.2.yml").paragraphs if p.text]
    assert shown.text == text.rstrip()
    assert fenced("a ```` b").startswith("`````yaml\n")
    assert export("a/1.2.yml", text, "docx").name == "1.2.docx"


def test_another_format_is_refused_with_those_there_are() -> None:
    with pytest.raises(ExportError, match=r"as md, html and docx, not as pdf\."):
        export("a.md", "x", "pdf")


@pytest.mark.parametrize(("form", "library"), [("html", "nh3"), ("docx", "docx")])
def test_without_the_extra_people_are_told_how_to_get_it_and_markdown_is_there(form: str, library: str) -> None:
    program = (
        f"import sys; sys.modules[{library!r}] = None\n"
        "from bot.exporting.documents import ExportError, export\n"
        "print(export('a.md', 'x', 'md').data.decode())\n"
        f"try: export('a.md', 'x', {form!r})\n"
        "except ExportError as told: print(told)"
    )

    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    first, told = run.stdout.splitlines()
    assert first == "x"
    assert told.startswith(f"Files in {form} need ")
    assert "pip install 'greenroom[export]'" in told


bits = st.sampled_from(
    [
        *(
            "# x",
            "- [ ] a",
            "  - b",
            "0. x",
            "999999999. y",
            "> q",
            "> - z",
            "```",
            "| a | b |\n|---|---|\n| c |",
            "---",
        ),
        *(
            "[a](javascript:b)",
            "![a](b)",
            "[![a](b)](c:d)",
            "<b onclick=x>",
            "&#x6a;avascript:",
            "\x00\x0b\ufffe",
            "**",
        ),
        *("[a](java\tscript:b)", "[a](&#106;avascript:b)", "    code", "\ud800", "[ [a](b) ![c](d) ](e)", "a  \nb", ""),
    ]
)


@settings(deadline=None)
@given(st.lists(bits, max_size=8).map("\n".join) | st.text(max_size=60), st.sampled_from(FORMATS))
def test_any_text_makes_a_file_with_nothing_harmful_in_it(text: str, form: str) -> None:
    data = export("docs/a.md", text, form).data
    if form == "html":
        found = Page(data.decode("utf-8"))
        assert not {"script", "img", "iframe", "object", "svg"} & {tag for tag, _ in found.tags}
        assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
        assert all(is_safe(a["href"]) for a in found.of("a") if "href" in a)
    elif form == "docx":
        assert all(link.startswith(("http://", "https://", "mailto:")) for link in links(Document(BytesIO(data))))
