"""A document cut into files and put together again, byte for byte, whatever it holds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.documents.assembly import assembled
from bot.core.documents.outline import outline
from bot.core.documents.sharding import MAX_SHARDS, Shard, ShardError, join, shard
from tests.unit.documents.cases import CAST, cast
from tests.unit.documents.test_assembly import parts_of

TEXT = """\
# Product

Lead-in.

## Goals and Context

Words.

### First

```sh
## no heading
```

# Odd

## Goals (and) context!

> ## quoted

Last
---

- [x](y)
"""


def joined(index: str, files: tuple[Shard, ...]) -> str:
    return join(index, {file.name: file.text for file in files})


def test_each_section_becomes_a_file_with_its_headings_raised() -> None:
    shards = shard(TEXT)

    assert shards.index == (
        "# Product\n\nLead-in.\n\n## Sections\n\n- [Goals and Context](./goals-and-context.md)\n"
        "- [Goals (and) context!](./goals-and-context-2.md)\n- [Last](./last.md)\n".replace("context!", "context\\!")
    )
    assert [file.text for file in shards.files] == [
        "# Goals and Context\n\nWords.\n\n## First\n\n```sh\n## no heading\n```\n\n# Odd\n\n",
        "# Goals (and) context!\n\n> ## quoted\n\n",
        "Last\n===\n\n- [x](y)\n",
    ]
    assert joined(shards.index, shards.files) == TEXT


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("## Index\n## Größe & Maß\n## ???\n##\n", ["index-2.md", "grösse-mass.md", "section.md", "section-2.md"]),
        ("## A\n## a\n## A 2\n", ["a.md", "a-2.md", "a-2-2.md"]),
        (f"## {'x' * 99}\n", [f"{'x' * 60}.md"]),
        ("## `code` **bold** [link](x) ##\n", ["code-bold-link.md"]),
        ("## ../../etc/passwd\n", ["etc-passwd.md"]),
    ],
)
def test_names_are_made_of_titles_and_no_two_are_alike(text: str, names: list[str]) -> None:
    shards = shard(text)

    assert [file.name for file in shards.files] == names
    assert joined(shards.index, shards.files) == text


def test_a_file_that_people_changed_goes_back_as_they_have_it() -> None:
    files = {"a.md": "# New name\n\n## Part\n\nwords\n\nUnder\nlined\n---\n", "b.md": "no heading"}
    index = "Intro\n\n## Our files\n\nSee [the site](https://example.com/x)\n\n1. [B](./b.md) 2. [A](a.md) [B](b.md)\n"

    with pytest.raises(ShardError, match=r"https://example.com/x is in the index and not among the documents"):
        join(index, files)
    assert join(index.replace("See [the site](https://example.com/x)\n\n", ""), files) == (
        "Intro\n\nno heading\n## New name\n\n### Part\n\nwords\n\n### Under lined\n"
    )


def test_what_cannot_be_cut_or_joined_is_told_with_a_way_out() -> None:
    with pytest.raises(ShardError, match="no headings of level 2"):
        shard("# Only\n\n```\n## code\n```\n")
    with pytest.raises(ShardError, match=f"at most {MAX_SHARDS} become files"):
        shard("## x\n" * (MAX_SHARDS + 1))
    with pytest.raises(ShardError, match="no list of sections"):
        join("# Index\n", {})
    with pytest.raises(ShardError, match=r"a.md is in the index"):
        join("## Sections\n\n- [A](./a.md)\n", {})


@pytest.mark.parametrize("name", [name for name in CAST if cast(name).format == "markdown"])
def test_every_document_of_the_cast_comes_back(name: str) -> None:
    text = assembled(cast(name), parts_of(name), {})

    shards = shard(text)

    assert joined(shards.index, shards.files) == text
    assert all(outline(file.text)[0].level == 1 for file in shards.files)


bits = st.sampled_from(
    [
        *("## A", "## A ##", "##", "##\tB", "   ## C", "    ## D", "# T", "### E", "###### F", "A\n---", "A\n===", "-"),
        *("===", "---", "```", "~~~", "> ## q", "- x", "  ## in list", "<div>", "<!--", "-->", "[a]: /b", "words", ""),
        *(
            "| a | b |\n|---|---|",
            "1. x",
            "\t## tab",
            "## A\\",
            "#",
            "## [x](y)",
            "## <b>",
            "\x0b",
            "\u2028## u",
            "\x85",
        ),
    ]
)
ends = st.sampled_from(["\n", "\r\n", "\r", "\n\n"])
markdown = st.lists(st.tuples(bits, ends), max_size=14).map(lambda pairs: "".join(bit + end for bit, end in pairs))


@given(markdown, st.sampled_from(["", "## End", "words", "```"]))
@settings(deadline=None)
def test_any_document_with_sections_comes_back_byte_for_byte(text: str, last: str) -> None:
    text += last
    count = sum(heading.level == 2 for heading in outline(text))
    if count == 0:
        with pytest.raises(ShardError):
            shard(text)
        return

    shards = shard(text)

    assert joined(shards.index, shards.files) == text
    assert len(shards.files) == count
    assert len({file.name.casefold() for file in shards.files} | {"index.md"}) == count + 1
