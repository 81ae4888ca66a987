"""A small cast, in memory, and a library that holds it."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.personas.model import Cast, Command, Dependency, Document, Persona, Resource

ARCHITECT = Persona(
    id="architect",
    name="Winston",
    title="Architect",
    icon="🏗️",
    when_to_use="Use for system design and technology choices",
    commands=(
        Command("help", "Show the commands"),
        Command("create-backend-architecture", "Draft it", uses=("create-doc", "architecture-tmpl")),
        Command("explain", "Explain a decision"),
        Command("exit", "Say goodbye as the Architect"),
    ),
    dependencies=(Dependency("tasks", "create-doc.md"), Dependency("templates", "architecture-tmpl.yaml")),
    pack="bmad",
)
PM = Persona(
    id="pm",
    name="John",
    title="Product Manager",
    icon="📋",
    when_to_use="Use for PRDs and product strategy",
    commands=(
        Command("help", "Show the commands"),
        Command("correct-course", "Correct the course", uses=("correct-course",)),
        Command("create-brownfield-epic", "Write an epic", uses=("brownfield-create-epic",)),
        Command("create-brownfield-prd", "Write a PRD", uses=("create-doc", "brownfield-prd-tmpl")),
        Command("create-brownfield-story", "Write a story", uses=("brownfield-create-story",)),
        Command("create-epic", "Write an epic", uses=("brownfield-create-epic",)),
        Command("create-prd", "Write a PRD", uses=("create-doc", "prd-tmpl")),
        Command("yolo", "Toggle Yolo Mode"),
        Command("exit", "Exit (confirm)", confirm=True),
    ),
    dependencies=(Dependency("tasks", "create-doc.md"), Dependency("templates", "prd-tmpl.yaml")),
    pack="bmad",
)
SM = Persona(
    id="sm",
    name="Bob",
    title="Scrum Master",
    icon="🏃",
    when_to_use="Use for story creation",
    commands=(
        Command("help", "Show the commands"),
        Command("draft", "Draft the next story", uses=("create-next-story",)),
        Command("story-checklist", "Check a story", uses=("execute-checklist", "story-draft-checklist")),
        Command("exit", "Say goodbye as the Scrum Master"),
    ),
    pack="bmad",
)
ORCHESTRATOR = Persona(
    id="bmad-orchestrator",
    name="BMad Orchestrator",
    title="BMad Master Orchestrator",
    icon="🎭",
    when_to_use="Use for workflow coordination",
    commands=(
        Command("help", "Show this guide"),
        Command("agent", "Transform into a specialized agent"),
        Command("chat-mode", "Start conversational mode"),
        Command("checklist", "Execute a checklist"),
        Command("task", "Run a task"),
        Command("party-mode", "Group chat"),
        Command("status", "Show the context"),
        Command("yolo", "Toggle skip confirmations"),
        Command("exit", "Return to BMad or exit session"),
    ),
    pack="bmad",
)
MIGRATION = Persona(
    id="vm-migration-architect",
    name="VM Migration Architect",
    title="VM Migration Architect",
    icon="🤖",
    when_to_use="Live migration",
    instructions="You know live migration.",
    model="opus",
    tools=("Read", "Bash"),
)
CAST = Cast(
    personas=(ORCHESTRATOR, PM, ARCHITECT, SM, MIGRATION),
    documents=(Document("README", "The agents", "How agents are laid out."),),
    resources=(
        Resource("tasks", "create-doc.md", "bmad/tasks/create-doc.md", "bmad"),
        Resource("tasks", "correct-course.md", "bmad/tasks/correct-course.md", "bmad"),
        Resource("templates", "prd-tmpl.yaml", "bmad/templates/prd-tmpl.yaml", "bmad"),
        Resource("templates", "architecture-tmpl.yaml", "bmad/templates/architecture-tmpl.yaml", "bmad"),
        Resource("checklists", "pm-checklist.md", "bmad/checklists/pm-checklist.md", "bmad"),
    ),
)


TEXTS: dict[str, str] = {}
"""Texts of resources that a test wants to be more than a name."""


@dataclass(slots=True)
class FakeLibrary:
    cast: Cast = CAST
    reads: list[str] = field(default_factory=list)
    after: Cast | None = None
    problems: tuple[str, ...] = ()

    async def refresh(self) -> tuple[str, ...]:
        self.cast = self.after or self.cast
        return self.problems

    async def read(self, kind: str, name: str, persona: str) -> str:
        self.reads.append(f"{kind}/{name}")
        if not self.cast.resource(self.cast.persona(persona), name, kind):
            raise FileNotFoundError(f"{kind}/{name} is not in the library")
        return TEXTS.get(f"{kind}/{name}", f"The text of {kind}/{name}.")
