"""The text of a template -> its `Definition`, with what an author should mend by line.

Reads the format of BMAD v4's `*-tmpl.yaml` as people have it: `yes` for `true`, items that YAML takes for mappings,
`subsections`, titles without ids. What cannot be read that way is an error; what is odd is a finding.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from bot.core.documents.definition import (
    FIELDS,
    MAX_DEPTH,
    MAX_SECTIONS,
    TYPES,
    Choices,
    Definition,
    Format,
    Methods,
    Section,
    Stops,
)
from bot.core.documents.filenames import flaw_of_filename
from bot.core.documents.values import Finding, TemplateError, Values, parsed_yaml
from bot.personas.naming import slug
from bot.personas.readers import safe_yaml

__all__ = ["MAX_TEMPLATE", "Finding", "TemplateError", "definition", "read"]

MAX_TEMPLATE = 256 * 1024
"""Longest template, in characters; the largest public one has 47,000."""

MAX_OPTIONS = 50
"""So many methods, choices, columns, items and examples of one section are read."""

_HEADER = {"id", "name", "version", "output", "description"}
_WORKFLOW = {"mode", "elicitation", "allow_skip", "custom_elicitation"}
_OUTPUT = {"format", "filename", "title"}
_SECTION = {
    *("id", "title", "instruction", "template", "content", "type", "language", "mermaid_type", "sections"),
    *("subsections", "elicit", "custom_elicitation", "condition", "repeatable", "order", "examples", "items"),
    *("item_template", "prefix", "columns", "rows", "choices", "owner", "editors", "readonly", "optional"),
    *("placeholder", "details"),
}
_ALIASES = {"scrum-master": "sm", "dev-agent": "dev", "qa-agent": "qa"}
_PROCEED = re.compile(r"^(?:finali[sz]e and )?proceed\b", re.IGNORECASE)
_GUIDE = re.compile(r"^(?:examples?|allowed_values|optional_fields\w*|\w+_(?:rules|template|prefixes|examples))$")


def definition(text: str) -> Definition:
    """The definition that a template's text holds. Raises TemplateError."""
    return read(text)[0]


def read(text: str) -> tuple[Definition, tuple[Finding, ...]]:
    """The definition, and what its author should mend, by line. Raises TemplateError."""
    parsed, lines = parsed_yaml(text, MAX_TEMPLATE, "split it into several templates")
    if not isinstance(parsed.value, Mapping) or not isinstance(parsed.value.get("template"), Mapping):
        raise TemplateError("there is no `template:` block", 1, "begin with `template:` and its id, name and output")
    reader = _Reader(lines)
    for flaw in parsed.doubled:
        reader.find(flaw.line, flaw.reason, flaw.mend)
    return reader.read(parsed.value), tuple(sorted(reader.findings, key=lambda finding: finding.line))


class _Reader:
    """Reads one template and remembers what it found."""

    def __init__(self, lines: Mapping[tuple[str | int, ...], int]) -> None:
        self.lines = lines
        self.findings: list[Finding] = []
        self.ids: set[str] = set()

    def find(self, line: int, reason: str, mend: str) -> None:
        self.findings.append(Finding(line, reason, mend))

    def values(self, found: object, *path: str | int) -> Values:
        """The mapping that stands at `path`; where something else does, that is found and taken for an empty one."""
        if not isinstance(found, Mapping) and found is not None:
            self.find(self.at(path), f"`{path[-1]}` is not a block of keys", "write its keys below it, indented")
        return Values(found if isinstance(found, Mapping) else {}, path, self.lines, self.find)

    def at(self, path: Sequence[str | int]) -> int:
        while path and tuple(path) not in self.lines:
            path = path[:-1]
        return self.lines.get(tuple(path), 1)

    def read(self, top: Mapping[str, object]) -> Definition:
        header = self.values(top["template"], "template")
        output = self.values(header.raw("output"), "template", "output")
        workflow = self.values(top.get("workflow"), "workflow")
        header.only(_HEADER)
        output.only(_OUTPUT)
        workflow.only(_WORKFLOW)
        kind = self.format(output)
        sections = self.literal(top) if kind == "yaml" else self.sections(top)
        name = header.text("name")
        ident = header.text("id") or slug(name)
        if not ident:
            raise TemplateError("the template has neither id nor name", header.line(), "write `id:` below `template:`")
        if not name:
            self.find(header.line(), "the template has no name", "write `name:`, as people should see it in a list")
        interactive = workflow.text("mode") != "non-interactive" and kind != "yaml"
        if workflow.text("mode") not in ("", "interactive", "non-interactive"):
            told = f"`mode: {workflow.text('mode')}` is not known; the template is taken for an interactive one"
            self.find(workflow.line("mode"), told, "write interactive or non-interactive")
        return Definition(
            id=ident,
            name=name or ident,
            filename=self.filename(output, kind, ident),
            sections=sections,
            version=header.text("version"),
            title=output.text("title"),
            description=header.text("description"),
            format=kind,
            interactive=interactive,
            stops=_stops(sections, interactive),
            allow_skip=workflow.flag("allow_skip"),
            methods=self.methods(workflow),
            editable=self.values(top.get("agent_config"), "agent_config").texts("editable_sections", MAX_OPTIONS),
        )

    def format(self, output: Values) -> Format:
        written = output.text("format").casefold()
        if written in ("yaml", "yml"):
            return "yaml"
        if written not in ("markdown", "md", ""):
            told = f"`format: {written}` is not known; the document is written as Markdown"
            self.find(output.line("format"), told, "write markdown or yaml")
        return "markdown"

    def filename(self, output: Values, kind: Format, ident: str) -> str:
        written = output.text("filename")
        if not written:
            ending = "yml" if kind == "yaml" else "md"
            stem = re.sub(r"-(?:template|tmpl)(?:-v\d+)?$", "", ident)
            made = f"docs/{stem}.{ending}"
            self.find(output.line(), f"there is no `filename`; the document goes to {made}", "write `filename:`")
            return made
        if flaw := flaw_of_filename(written):
            raise TemplateError(
                f"the filename {written!r} {flaw}",
                output.line("filename"),
                "write a path below the channel's documents, such as docs/prd.md",
            )
        return written

    def methods(self, workflow: Values) -> tuple[Methods, ...]:
        custom = self.values(workflow.raw("custom_elicitation"), "workflow", "custom_elicitation")
        custom.only({"title", "options", "sections"})
        blocks = [(custom, "")]
        for place, found in enumerate(custom.items("sections")):
            block = self.values(found, "workflow", "custom_elicitation", "sections", place)
            blocks.append((block, block.text("id")))
        return tuple(
            Methods(options, custom.text("title"), group)
            for block, group in blocks
            if (options := _methods(block.texts("options", MAX_OPTIONS)))
        )

    def sections(self, top: Mapping[str, object]) -> tuple[Section, ...]:
        found = top.get("sections")
        if not isinstance(found, list) or not found:
            raise TemplateError("the template has no sections", self.at(("sections",)), "write them below `sections:`")
        for key in sorted(set(map(str, top)) - {"template", "workflow", "agent_config", "sections"}):
            self.find(self.at((key,)), f"the key `{key}` is not known here", "take it away, or mend its name")
        return tuple(self.section(values, ("sections", place), 1) for place, values in enumerate(found))

    def section(self, found: object, path: tuple[str | int, ...], depth: int) -> Section:
        line = self.at(path)
        if not isinstance(found, Mapping):
            raise TemplateError("a section is not a block of keys", line, "write `id:` and `title:` below the dash")
        if depth > MAX_DEPTH:
            raise TemplateError(
                f"sections lie more than {MAX_DEPTH} levels deep", line, "headings end at level 6: make it flatter"
            )
        values = Values(found, path, self.lines, self.find)
        values.only(_SECTION)
        ident = self.ident(values)
        kind = values.text("type").casefold()
        if kind and kind not in TYPES:
            told = f"the type {kind!r} of {ident} is not known; the section is taken for free prose"
            self.find(values.line("type"), told, f"write one of {', '.join(TYPES)}")
            kind = ""
        below = [
            self.section(inner, (*path, key, place), depth + 1)
            for key in ("sections", "subsections")
            for place, inner in enumerate(values.items(key))
        ]
        return Section(
            id=ident,
            title=" ".join(values.text("title").split()),
            instruction=values.text("instruction"),
            type=kind,
            elicit=values.flag("elicit"),
            repeatable=values.flag("repeatable"),
            optional=values.flag("optional"),
            readonly=values.flag("readonly"),
            condition=values.text("condition"),
            order=values.number("order"),
            content=values.text("content"),
            template=values.text("template"),
            item_template=values.text("item_template"),
            prefix=values.text("prefix"),
            language=values.text("language"),
            mermaid_type=values.text("mermaid_type"),
            placeholder=values.text("placeholder"),
            details=values.text("details"),
            question=values.text("custom_elicitation"),
            columns=values.texts("columns", MAX_OPTIONS),
            rows=values.rows("rows", MAX_OPTIONS),
            items=values.texts("items", MAX_OPTIONS),
            examples=values.texts("examples", MAX_OPTIONS),
            choices=self.choices(values),
            owner=_persona(values.text("owner")),
            editors=tuple(dict.fromkeys(map(_persona, values.texts("editors", MAX_OPTIONS)))),
            extra=values.rest(_SECTION),
            sections=tuple(below),
            line=line,
        )

    def ident(self, values: Values) -> str:
        """The section's id, made unique; without one it is made of the title."""
        written = values.text("id")
        ident = written or slug(values.text("title"))
        if not ident:
            raise TemplateError("a section has neither id nor title", values.line(), "give it an `id:`")
        if not written:
            self.find(values.line(), f"a section has no id; it is called {ident}", f"write `id: {ident}`")
        wanted, number = ident, 1
        while ident in self.ids:
            number += 1
            ident = f"{wanted}-{number}"
        if ident != wanted:
            told = f"the id {wanted} stands here a second time; this section is called {ident}"
            self.find(values.line("id"), told, "give it an id of its own")
        self.ids.add(ident)
        if len(self.ids) > MAX_SECTIONS:
            raise TemplateError(
                f"it has more than {MAX_SECTIONS} sections", values.line(), "split it into several templates"
            )
        return ident

    def choices(self, values: Values) -> tuple[Choices, ...]:
        written = values.raw("choices")
        if isinstance(written, Mapping):
            groups = Values(written, (*values.path, "choices"), self.lines, self.find)
            return tuple(Choices(groups.texts(str(name), MAX_OPTIONS), str(name)) for name in written)
        options = values.texts("choices", MAX_OPTIONS)
        return (Choices(options),) if options else ()

    def literal(self, top: Mapping[str, object]) -> tuple[Section, ...]:
        """The one section of a YAML template: its fields as they stand, and what guides the writer."""
        if top.get("sections"):
            raise TemplateError(
                "a template with `format: yaml` has no sections",
                self.at(("sections",)),
                "write the file's fields at the top level, or take `format: markdown`",
            )
        rest = {key: value for key, value in top.items() if key not in ("template", "workflow", "agent_config")}
        fields = {key: value for key, value in rest.items() if not _GUIDE.match(str(key))}
        if not fields:
            raise TemplateError("the YAML template has no fields", 1, "write the file's keys below the template block")
        guides = {key: value for key, value in rest.items() if key not in fields}
        allowed = self.values(guides.get("allowed_values"), "allowed_values")
        return (
            Section(
                id=FIELDS,
                type=FIELDS,
                template=safe_yaml.dump(fields),
                instruction=safe_yaml.dump(guides) if guides else "",
                choices=tuple(
                    Choices(options, str(name)) for name in allowed.found if (options := allowed.texts(str(name), 50))
                ),
                line=self.at((next(iter(map(str, fields))),)),
            ),
        )


def _stops(sections: Sequence[Section], interactive: bool) -> Stops:
    if not interactive:
        return "end"
    return "marked" if any(inner.elicit for section in sections for inner in section.walk()) else "each"


def _methods(options: Sequence[str]) -> tuple[str, ...]:
    """The methods among the options: the host brings "proceed" itself."""
    return tuple(dict.fromkeys(option for option in options if not _PROCEED.match(option)))


def _persona(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).strip().casefold()
    return _ALIASES.get(folded, folded)
