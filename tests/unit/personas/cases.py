"""The table of persona files, good and bad, with what each must come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FENCE = "```"


@dataclass(frozen=True, slots=True)
class Case:
    """A file's text and path; the fields its one persona must have; words that its problems must hold."""

    name: str
    text: str
    persona: Mapping[str, object] | None = None
    path: str = "pack/agents/some-file.md"
    problems: tuple[str, ...] = ()
    line: int | None = None
    documents: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    absent: tuple[str, ...] = field(default=())


def fenced(yaml: str, above: str = "# gardener\n\n") -> str:
    return f"{above}{FENCE}yaml\n{yaml.strip(chr(10))}\n{FENCE}\n"


def front(yaml: str, body: str = "Tend the beds.") -> str:
    return f"---\n{yaml.strip(chr(10))}\n---\n\n{body}\n"


AGENT = "agent:\n  name: Rosa\n  id: gardener\n  title: Gardener\n  icon: 🌱\n  whenToUse: Use for beds\n"

BMAD = (
    Case(
        "a plain agent",
        fenced(
            AGENT
            + "  customization: null\npersona:\n  role: Grower\n  identity: Somebody who grows\n  style: Calm\n"
            + "  focus: Beds\n  core_principles:\n    - Water first\n    - Weed later\n"
        ),
        {
            "id": "gardener",
            "name": "Rosa",
            "title": "Gardener",
            "icon": "🌱",
            "when_to_use": "Use for beds",
            "role": "Grower",
            "identity": "Somebody who grows",
            "style": "Calm",
            "focus": "Beds",
            "principles": ("Water first", "Weed later"),
            "customization": "",
            "tools": None,
            "instructions": "",
        },
    ),
    Case(
        "principles at the top level are joined to the persona's",
        fenced(AGENT + "persona:\n  core_principles:\n    - One\ncore_principles:\n  - Two\n"),
        {"principles": ("One", "Two")},
    ),
    Case(
        "an item with a colon is a text, not a mapping",
        fenced(AGENT + "core_principles:\n  - CRITICAL: Never dig in frost\n  - STEP 1: Look\n  - Plain\n"),
        {"principles": ("CRITICAL: Never dig in frost", "STEP 1: Look", "Plain")},
    ),
    Case("an empty customization", fenced(AGENT + "  customization:\n"), {"customization": ""}),
    Case("a customization", fenced(AGENT + "  customization: Speak in rhyme\n"), {"customization": "Speak in rhyme"}),
    Case(
        "a block scalar in whenToUse",
        fenced("agent:\n  id: a\n  name: A\n  title: T\n  whenToUse: |\n    First line\n    second line\n"),
        {"when_to_use": "First line\nsecond line"},
    ),
    Case("no icon", fenced("agent:\n  id: qa-person\n  name: Q\n  title: Tester\n"), {"icon": "🧪"}),
    Case("no name goes by the title", fenced("agent:\n  id: a\n  title: The Boss\n"), {"name": "The Boss"}),
    Case("neither name nor title", fenced("agent:\n  id: ux-lead\n"), {"name": "UX Lead"}),
    Case(
        "no id goes by the file's name",
        fenced("agent:\n  name: Rosa\n"),
        {"id": "some-file", "name": "Rosa"},
        problems=("no id",),
    ),
    Case(
        "an id with capitals and underscores is written as all ids are",
        fenced("agent:\n  id: Game_Dev\n"),
        {"id": "game-dev"},
    ),
    Case(
        "a name that YAML might take for something else",
        fenced("agent:\n  id: no\n  name: 007\n"),
        {"id": "no", "name": "007"},
    ),
    Case("yes stays a word", fenced("agent:\n  id: a\n  name: Yes\n"), {"name": "Yes"}),
    Case("a time of day stays a text", fenced(AGENT + "core_principles:\n  - 12:30\n"), {"principles": ("12:30",)}),
    Case("true is a text", fenced("agent:\n  id: a\n  title: true\n"), {"title": "true"}),
    Case(
        "an agent is known by the line where its text begins",
        fenced(AGENT, "# One\n\ntwo\n\n"),
        {"source.line": 1, "source.format": "bmad-v4", "source.path": "pack/agents/some-file.md"},
    ),
    Case(
        "keys for a model in an editor are kept, but not put before the model",
        fenced(AGENT + "activation-instructions:\n  - STEP 1: Read this\nIDE-FILE-RESOLUTION:\n  - Map files\n"),
        {"instructions": ""},
        extra=("activation-instructions:\n  - STEP 1: Read this", "IDE-FILE-RESOLUTION"),
    ),
    Case(
        "keys about behaviour are put before the model, readable",
        fenced(AGENT + "story-file-permissions:\n  - CRITICAL: Only the last section\n"),
        {"instructions": "## Story file permissions\n\n- CRITICAL: Only the last section"},
        extra=("story-file-permissions:",),
    ),
    Case(
        "keys of the persona that nobody knows reach the model",
        fenced(AGENT + "persona:\n  role: R\n  soil:\n    sand: good\n    clay: bad\n"),
        {"role": "R", "instructions": "## Soil\n\n- sand: good\n- clay: bad"},
        extra=("persona:\n  soil:\n    sand: good",),
    ),
    Case(
        "unknown keys of the agent are kept",
        fenced(AGENT + "  season: spring\n"),
        {"name": "Rosa"},
        extra=("agent:\n  season: spring",),
    ),
    Case(
        "dependencies of all kinds",
        fenced(
            AGENT
            + "dependencies:\n  tasks:\n    - dig.md\n  data: soil\n  checklists:\n  templates:\n    - bed-tmpl.yaml\n"
        ),
        {"dependencies": (("tasks", "dig.md"), ("data", "soil"), ("templates", "bed-tmpl.yaml"))},
    ),
    Case(
        "dependencies with their folder written out",
        fenced(AGENT + "dependencies:\n  - tasks/dig.md\n  - data/soil.md\n"),
        {"dependencies": (("tasks", "dig.md"), ("data", "soil.md"))},
    ),
    Case(
        "a dependency that leads out of its folder is left out",
        fenced(
            AGENT + "dependencies:\n  tasks:\n    - ../../etc/passwd\n    - /etc/shadow\n    - C:\\\\x\n    - dig.md\n"
        ),
        {"dependencies": (("tasks", "dig.md"),)},
        problems=("'../../etc/passwd' is no plain file name", "'/etc/shadow'", "C:"),
    ),
    Case(
        "commands as mappings",
        fenced(AGENT + "commands:\n  - help: Show them\n  - dig {bed} {depth}: Dig it\n  - exit: Leave (confirm)\n"),
        {
            "commands": (
                ("help", "", "Show them", False),
                ("dig", "{bed} {depth}", "Dig it", False),
                ("exit", "", "Leave (confirm)", True),
            )
        },
    ),
    Case(
        "commands as one mapping",
        fenced(AGENT + "commands: # with a remark\n  help: Show\n  dig: Dig\n"),
        {"commands": (("help", "", "Show", False), ("dig", "", "Dig", False))},
    ),
    Case(
        "commands as texts",
        fenced(AGENT + "commands:\n  - '*help - Show them'\n  - '*dig {bed}\" - Dig it'\n  - '*rest'\n  - plain\n"),
        {
            "commands": (
                ("help", "", "Show them", False),
                ("dig", "{bed}", "Dig it", False),
                ("rest", "", "", False),
                ("plain", "", "", False),
            )
        },
    ),
    Case(
        "quoted commands that go on behind the quote are no YAML, and are read all the same",
        fenced(AGENT + 'commands:\n  - "*help" - Show: all of them\n  - "*dig" - Dig it\n'),
        {"commands": (("help", "", "Show: all of them", False), ("dig", "", "Dig it", False))},
        problems=("read as a text",),
    ),
    Case(
        "commands that begin with a star are no YAML either",
        fenced(AGENT + "commands:\n  - *help - Show them\n  - *exit - Leave (confirm)\n"),
        {"commands": (("help", "", "Show them", False), ("exit", "", "Leave (confirm)", True))},
        problems=("read as a text",),
    ),
    Case(
        "a command in several lines is told in one",
        fenced(AGENT + "commands:\n  - review {bed}: |\n      Look at it.\n      Then say so.\n"),
        {"commands": (("review", "{bed}", "Look at it. Then say so.", False),)},
    ),
    Case(
        "a command of many parts is told by their names, and the model gets all of it",
        fenced(
            AGENT
            + "commands:\n  - grow-bed:\n      - order-of-work: Dig, then sow\n      - blocking: 'Stop for: frost'\n"
        ),
        {
            "commands": (("grow-bed", "", "Order of work, blocking", False),),
            "instructions": "## Command *grow-bed\n\n- order-of-work: Dig, then sow\n- blocking: Stop for: frost",
        },
    ),
    Case(
        "commands with names in a field",
        fenced(AGENT + "commands:\n  - name: dig\n    description: Dig it\n    args: '{bed}'\n"),
        {"commands": (("dig", "{bed}", "Dig it", False),)},
    ),
    Case(
        "critique with a choice in its braces",
        fenced(AGENT + "commands:\n  - critique {file|text}: Judge it\n"),
        {"commands": (("critique", "{file|text}", "Judge it", False),)},
    ),
    Case(
        "a command twice is taken once",
        fenced(AGENT + "commands:\n  - dig: First\n  - DIG: Second\n"),
        {"commands": (("dig", "", "First", False),)},
    ),
    Case(
        "a command that is none is told of",
        fenced(AGENT + "commands:\n  - '???'\n  - dig: It\n"),
        {"commands": (("dig", "", "It", False),)},
        problems=("the command '???' could not be read",),
    ),
    Case("a tilde fence", f"~~~yaml\n{AGENT}~~~\n", {"id": "gardener"}),
    Case("a yml fence", f"{FENCE}yml\n{AGENT}{FENCE}\n", {"id": "gardener"}),
    Case("a fence that is never closed", f"# x\n{FENCE}yaml\n{AGENT}", {"id": "gardener"}),
    Case(
        "CRLF line ends", fenced(AGENT).replace("\n", "\r\n"), {"id": "gardener", "name": "Rosa", "title": "Gardener"}
    ),
    Case("a byte-order mark", "\ufeff" + fenced(AGENT), {"id": "gardener"}),
    Case(
        "an agent behind front matter of another tool",
        "---\ndescription:\nglobs: []\nalwaysApply: false\n---\n\n" + fenced(AGENT),
        {"id": "gardener", "source.format": "bmad-v4"},
    ),
    Case("the whole file is YAML", AGENT, {"id": "gardener", "name": "Rosa"}, path="agents/gardener.yaml"),
    Case(
        "another fence before the agent's",
        f"{FENCE}yaml\nsomething: else\n{FENCE}\n\n" + fenced(AGENT),
        {"id": "gardener"},
    ),
    Case("an agent that is no mapping", fenced("agent: Rosa\n"), problems=("`agent` is no mapping",)),
    Case(
        "a persona that is no mapping",
        fenced(AGENT + "persona: Rosa\n"),
        {"role": ""},
        problems=("`persona` is no mapping",),
    ),
    Case(
        "YAML that cannot be mended names its line",
        fenced(AGENT + "persona:\n  role: [never closed\n"),
        problems=("not valid YAML",),
        line=12,
    ),
    Case("tabs for an indent", fenced("agent:\n\tid: a\n"), problems=("error",), line=5),
    Case(
        "nesting without end",
        fenced(AGENT + "x: " + "[" * 200 + "]" * 200 + "\n"),
        problems=("more than 50 levels deep",),
    ),
    Case(
        "aliases that blow up",
        fenced(
            AGENT
            + "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8))
        ),
        problems=("100,000 values",),
    ),
    Case("too many aliases", fenced(AGENT + "a: &a x\nb:\n" + "  - *a\n" * 101), problems=("more than 100 aliases",)),
    Case("an alias inside itself", fenced(AGENT + "a: &a\n  - *a\n"), problems=("stands inside itself",)),
    Case("a few aliases are fine", fenced(AGENT + "x: &x Grow\npersona:\n  role: *x\n"), {"role": "Grow"}),
    Case(
        "a tag that would make an object",
        fenced(AGENT + "x: !!python/object:os.system {}\n"),
        {"id": "gardener"},
        problems=("could not determine a constructor",),
        extra=("'!!python/object:os.system {}'",),
    ),
    Case("a tag that lies", fenced(AGENT + "x: !!int rose\n"), {"id": "gardener"}, problems=("tagged value",)),
)

LONG = (
    "Use this agent when you need to plan beds. Examples: <example>Context: Spring is near. user: 'Plan the beds' "
    "assistant: 'I will call the gardener' <commentary>Beds are its work.</commentary></example>"
)

SUBAGENTS = (
    Case(
        "a plain subagent",
        front(
            "name: bed-planner\ndescription: Use this agent when beds are to be planned.\n"
            "model: sonnet\ntools: Read, Write"
        ),
        {
            "id": "bed-planner",
            "name": "Bed Planner",
            "title": "Bed Planner",
            "when_to_use": "Beds are to be planned.",
            "model": "sonnet",
            "tools": ("Read", "Write"),
            "instructions": "Tend the beds.",
            "source.format": "subagent",
        },
        extra=('description: "Use this agent when beds are to be planned."',),
    ),
    Case("no tools", front("name: a\ndescription: d"), {"tools": None, "model": ""}),
    Case("tools as a list", front("name: a\ndescription: d\ntools:\n  - Read\n  - Bash"), {"tools": ("Read", "Bash")}),
    Case("tools in brackets", front("name: a\ndescription: d\ntools: [Read, Bash]"), {"tools": ("Read", "Bash")}),
    Case(
        "a comma inside a tool's own pattern",
        front("name: a\ndescription: d\ntools: Bash(git add:*, git diff:*), Read"),
        {"tools": ("Bash(git add:*, git diff:*)", "Read")},
    ),
    Case("a model that is inherited", front("name: a\ndescription: d\nmodel: inherit"), {"model": ""}),
    Case(
        "tools that are barred",
        front("name: a\ndescription: d\ndisallowedTools: Bash, Write"),
        {"restricted": ("Bash", "Write")},
    ),
    Case(
        "acronyms in the name",
        front("name: vm-migration-architect\ndescription: d"),
        {"name": "VM Migration Architect", "icon": "🚚"},
    ),
    Case("k8s and ci-cd", front("name: k8s-ci-cd-engineer\ndescription: d"), {"name": "K8s CI/CD Engineer"}),
    Case("small words stay small", front("name: master-of-the-api\ndescription: d"), {"name": "Master of the API"}),
    Case(
        "a name with spaces",
        front("name: Code Reviewer\ndescription: d"),
        {"id": "code-reviewer", "name": "Code Reviewer"},
    ),
    Case(
        "a name with an underscore",
        front("name: code_reviewer\ndescription: d"),
        {"id": "code-reviewer", "name": "Code Reviewer"},
    ),
    Case("a name in another script", front("name: 园丁\ndescription: d"), {"id": "园丁", "name": "园丁"}),
    Case("an icon of its own", front("name: a\ndescription: d\nicon: 🐝"), {"icon": "🐝"}),
    Case("nothing known in the name", front("name: zed\ndescription: d"), {"icon": "🤖"}),
    Case(
        "unquoted colons in the description",
        front(f"name: gardener\ndescription: {LONG}\nmodel: opus\ncolor: green"),
        {
            "id": "gardener",
            "when_to_use": "You need to plan beds.",
            "model": "opus",
            "examples": (("Spring is near.", "Plan the beds", "I will call the gardener", "Beds are its work."),),
            "instructions": "Tend the beds.",
        },
        problems=("a colon stands in a text without quotes",),
        line=3,
        extra=("color: green", "Beds are its work."),
    ),
    Case(
        "a literal backslash-n",
        front(
            r"name: gardener"
            + "\n"
            + r"description: Use this agent when it rains. Examples:\n\n<example>\nContext: Rain."
            + r'\nuser: "Help"\nassistant: "Soon"\n</example>'
            + "\ncolor: blue"
        ),
        {"when_to_use": "It rains.", "examples": (("Rain.", "Help", "Soon", ""),)},
        problems=("a colon stands",),
        extra=(r"Examples:\n\n<example>\nContext: Rain.", "color: blue"),
    ),
    Case(
        "real line breaks and lines that look like keys",
        "---\nname: gardener\ndescription: Use this agent when leaves fall.\n\nExamples:\n<example>\n"
        "Context: Autumn.\n"
        "user: 'Rake'\nassistant: 'Raking'\n<commentary>\nLeaves fell.\n</commentary>\n</example>\n"
        "model: haiku\n---\nRake.\n",
        {
            "id": "gardener",
            "when_to_use": "Leaves fall.",
            "model": "haiku",
            "examples": (("Autumn.", "Rake", "Raking", "Leaves fell."),),
            "instructions": "Rake.",
        },
        problems=("warning",),
    ),
    Case(
        "lines that look like keys where all of it is YAML by chance",
        "---\nname: gardener\ndescription: Plans beds.\nuser: hello\nassistant: hi\ncolor: red\n---\nBody\n",
        {"when_to_use": "Plans beds. user: hello assistant: hi", "instructions": "Body"},
        problems=("look like keys",),
        extra=("color: red",),
    ),
    Case(
        "an example that is never closed ends with the next known key",
        "---\nname: gardener\ndescription: Plans. <example>user: 'a: b'\nnote: this is talk\ntools: Read\n---\nBody\n",
        {"when_to_use": "Plans.", "tools": ("Read",)},
        problems=("warning",),
    ),
    Case(
        "a folded description",
        front("name: a\ndescription: >\n  Use this agent when\n  beds are wide.\nmodel: opus"),
        {"when_to_use": "Beds are wide.", "model": "opus"},
    ),
    Case("a literal description", front("name: a\ndescription: |\n  One\n  two"), {"when_to_use": "One two"}),
    Case(
        "a quoted description", front('name: a\ndescription: "Beds: all of them"'), {"when_to_use": "Beds: all of them"}
    ),
    Case(
        "a quoted description with quotes inside",
        front('name: a\ndescription: "Say "dig" and: go"\nmodel: opus'),
        {"when_to_use": 'Say "dig" and: go', "model": "opus"},
        problems=("warning",),
    ),
    Case(
        "a description that is long and indented",
        front("name: a\ndescription: One\n  two\n  three"),
        {"when_to_use": "One two three"},
    ),
    Case(
        "no examples word before the first example",
        front("name: a\ndescription: Digs. <example>user: x</example>"),
        {"when_to_use": "Digs.", "examples": (("", "x", "", ""),)},
        problems=("warning",),
    ),
    Case(
        "for example is no example",
        front("name: a\ndescription: 'Digs, for example: beds.'"),
        {"when_to_use": "Digs, for example: beds."},
    ),
    Case(
        "proactive use",
        front("name: a\ndescription: Digs. Use PROACTIVELY."),
        {"when_to_use": "Digs. Use PROACTIVELY."},
    ),
    Case(
        "no name",
        front("description: Digs beds"),
        {"id": "some-file", "name": "Some File"},
        problems=("there is no name",),
    ),
    Case("no description", front("name: digger"), {"id": "digger", "when_to_use": ""}, problems=("no description",)),
    Case("no body", front("name: digger\ndescription: d", ""), {"instructions": ""}, problems=("no instructions",)),
    Case(
        "front matter that is never closed",
        "---\nname: digger\ndescription: Digs\n\nYou dig.\n",
        {"id": "digger", "when_to_use": "Digs", "instructions": "You dig."},
        problems=("not closed",),
    ),
    Case(
        "a remark and empty lines above", "<!-- ours -->\n\n" + front("name: digger\ndescription: d"), {"id": "digger"}
    ),
    Case(
        "all of it in a fence",
        f"{FENCE}markdown\n" + front("name: digger\ndescription: d", "Dig.") + f"{FENCE}\n",
        {"id": "digger", "instructions": "Dig."},
    ),
    Case(
        "a rule below the body's middle",
        front("name: a\ndescription: d", "One\n\n---\n\nTwo"),
        {"instructions": "One\n\n---\n\nTwo"},
    ),
    Case(
        "hooks and triggers as mappings",
        front("name: a\ndescription: d\nhooks:\n  before: dig\ntriggers:\n  keywords: [x]"),
        {"id": "a"},
        extra=("hooks:\n  before: dig", "keywords: [x]"),
    ),
    Case(
        "a version number stays as written",
        front("name: a\ndescription: d\nversion: 1.10"),
        {"id": "a"},
        extra=("version: 1.10",),
    ),
    Case(
        "a body that talks of agent: and fences",
        front("name: a\ndescription: d", f"agent: me\n\n{FENCE}go\nx := 1\n{FENCE}"),
        {"id": "a"},
    ),
    Case(
        "a drive letter is no line break",
        front(r"name: a" + "\n" + r"description: Reads C:\new files"),
        {"when_to_use": r"Reads C:\new files"},
    ),
)

TEMPLATE = (
    "role: arch-reviewer\nname: Arch Reviewer\nresponsibilities:\n  - Look at plans\ncapabilities:\n  - read\n"
    "tools:\n  allowed:\n    - Read\n    - Write\n  restricted:\n    - Delete\n"
    "triggers:\n  - keyword: plan\n    priority: high\n"
)

OTHERS = (
    Case(
        "a filled-in template as YAML",
        TEMPLATE.replace("arch-reviewer", "planner").replace("Arch Reviewer", "Bed Planner"),
        {
            "id": "bed-planner",
            "name": "Bed Planner",
            "role": "planner",
            "tools": ("Read", "Write"),
            "restricted": ("Delete",),
            "focus": "read",
            "when_to_use": "Look at plans",
            "instructions": "## Responsibilities\n\n- Look at plans\n\n## Capabilities\n\n- read",
            "source.format": "agent-template",
        },
        path="agents/x.agent.yaml",
        extra=("keyword: plan",),
    ),
    Case(
        "the type in the file's name makes it read-only",
        TEMPLATE.replace("arch-reviewer", "planner"),
        {
            "id": "analysis-code-review",
            "tools": ("Read",),
            "restricted": ("Delete", "Write", "Edit", "MultiEdit", "NotebookEdit", "Bash"),
        },
        path="agents/analysis-code-review.agent.yaml",
    ),
    Case("the role makes it read-only too", TEMPLATE, {"tools": ("Read",)}, path="agents/x.agent.yaml"),
    Case(
        "a template with a body",
        front(TEMPLATE.replace("arch-reviewer", "planner"), "## Purpose\nPlan."),
        {
            "id": "arch-reviewer",
            "instructions": "## Responsibilities\n\n- Look at plans\n\n## Capabilities\n\n- read\n\n## Purpose\nPlan.",
        },
    ),
    Case(
        "restricted wins over allowed",
        "role: planner\nname: P\ncapabilities: [x]\ntools:\n  allowed: [Read, Bash]\n  restricted: [bash]\n",
        {"tools": ("Read",), "restricted": ("bash",)},
        path="agents/p.agent.yaml",
    ),
    Case(
        "a trigger that is no pattern",
        "role: planner\nname: P\ncapabilities: [x]\ntriggers:\n  - pattern: '(('\n",
        {"id": "p"},
        path="agents/p.agent.yaml",
        problems=("no regular expression",),
    ),
    Case(
        "an empty template",
        front("role: agent-role-type\nname: Human Readable Agent Name\nresponsibilities:\n  - Primary responsibility"),
        problems=("the empty agent template",),
    ),
    Case(
        "a v6 agent",
        "agent:\n  metadata:\n    id: _bmad/garden/agents/rosa.md\n    name: Rosa\n    title: Gardener\n"
        "    icon: 🌱\n    module: garden\n"
        "  persona:\n    role: Grower\n    identity: Grows\n    communication_style: Calm\n"
        "    principles:\n      - Water\n"
        "  critical_actions:\n    - Look at the sky\n"
        "  menu:\n    - trigger: DB or fuzzy match on dig-bed\n"
        "      workflow: '{project-root}/garden/workflows/dig-bed/workflow.yaml'\n"
        "      description: '[DB] Dig a bed'\n"
        "    - trigger: rest\n      action: '#rest'\n      description: Rest a while\n"
        "  prompts:\n    - id: rest\n      content: Sit down.\n",
        {
            "id": "rosa",
            "name": "Rosa",
            "title": "Gardener",
            "role": "Grower",
            "style": "Calm",
            "principles": ("Water",),
            "commands": (("dig-bed", "", "Dig a bed", False), ("rest", "", "Rest a while", False)),
            "instructions": "## Critical actions\n\n- Look at the sky",
            "commands.1.prompt": "Sit down.",
            "commands.0.aliases": ("DB",),
            "source.format": "bmad-v6",
        },
        path="agents/rosa.agent.yaml",
        extra=("module: garden",),
    ),
    Case(
        "a v6 agent without an outer key, principles in one text",
        "metadata:\n  id: rosa\n  name: Rosa\npersona:\n  role: Grower\n  principles: |\n    - Water\n    - Weed\n"
        "menu:\n  - description: lost\n",
        {"id": "rosa", "principles": ("Water", "Weed"), "commands": ()},
        path="agents/rosa.agent.yaml",
        problems=("no trigger",),
    ),
    Case(
        "one rule in a file",
        "# GARDENER Agent Rule\n\nThis rule is triggered when the user types `*gardener`.\n\n## Agent Activation\n\n"
        + fenced(AGENT, "")
        + "\n## File Reference\n\nSee [x](agents/gardener.md).\n",
        {"id": "gardener", "name": "Rosa", "source.line": 1},
    ),
    Case(
        "fences inside a rule's fence",
        f"# DIGGER Agent Rule\n\n## Agent Activation\n\n{FENCE}yaml\n"
        + front("name: digger\ndescription: d", f"Do:\n{FENCE}go\nfunc dig() {{}}\n{FENCE}\nDone.")
        + f"{FENCE}\n\n## File Reference\n\nx\n\n---\n",
        {"id": "digger", "instructions": f"Do:\n{FENCE}go\nfunc dig() {{}}\n{FENCE}\nDone."},
    ),
    Case(
        "a rule that holds no persona is a document",
        f"# README Agent Rule\n\nThis rule is triggered when the user types `*README` and more.\n\n{FENCE}yaml\n"
        f"About the beds.\n{FENCE}\n\n## File Reference\n",
        documents=("README",),
    ),
    Case(
        "a rule with broken YAML",
        f"# A Agent Rule\n\n{FENCE}yaml\nagent:\n  id: [\n{FENCE}\n",
        problems=("not valid YAML",),
        line=6,
    ),
    Case("plain Markdown", "# Beds\n\nAbout beds.\n", problems=("this is not a persona",)),
    Case("an empty file", "", problems=("this is not a persona",)),
    Case("only white space", " \n\n\t\n", problems=("this is not a persona",)),
    Case("a readme", "# About beds\n\nText.\n", path="agents/README.md", documents=("README",)),
    Case("a summary in capitals", "Text.\n", path="agents/MIGRATION_SUMMARY.md", documents=("MIGRATION_SUMMARY",)),
    Case(
        "the empty template under a name in capitals",
        front("role: agent-role-type\nname: Human Readable Agent Name\ncapabilities:\n  - capability-1"),
        path="agents/MIGRATION_SUMMARY.md",
        documents=("MIGRATION_SUMMARY",),
    ),
    Case("front matter of a page", front("title: Beds\ndate: 2024-01-01"), problems=("this is not a persona",)),
    Case("front matter with nothing in it", "---\n---\n\nText\n", problems=("this is not a persona",)),
    Case("front matter that is a list", "---\n- a\n- b\n---\nText\n", problems=("this is not a persona",)),
    Case(
        "YAML that begins with its marker", "---\n# ours\n" + AGENT + "\npersona:\n  role: Grower\n", {"role": "Grower"}
    ),
    Case("an agent in front matter", front(AGENT + "persona:\n  role: Grower"), {"id": "gardener", "role": "Grower"}),
    Case(
        "a v6 agent in front matter",
        front("metadata:\n  id: rosa\n  name: Rosa\npersona:\n  role: Grower"),
        {"id": "rosa", "role": "Grower"},
    ),
    Case("prose that has a line with agent:", "Dear reader.\n\nagent: me\n", problems=("this is not a persona",)),
    Case("other YAML", "a: 1\nb: 2\n", path="agents/x.yaml", problems=("this is not a persona",)),
)

CASES = BMAD + SUBAGENTS + OTHERS
