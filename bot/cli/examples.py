"""Examples of every command, for its `--help`: what is written behind the command, and what that does."""

from __future__ import annotations

from collections.abc import Mapping

Example = tuple[str, str]

EXAMPLES: Mapping[str, tuple[Example, ...]] = {
    "": (
        ("", "opens the chat"),
        ("chat pm", "opens it with the product manager"),
        ('ask architect "Do we need a queue?"', "asks once and prints the answer"),
        ("--model rehearsal", "tries it without a key"),
    ),
    "chat": (
        ("", "goes on where you were"),
        ("pm", "calls the product manager first"),
        ('architect "Do we need a queue?"', "calls somebody with a question"),
        ("--in plans --as ada", "is ada in #plans"),
        ("--model rehearsal", "tries it without a key"),
    ),
    "ask": (
        ('pm "What belongs into a first release?"', "prints the answer"),
        ('qa "What is missing?" < story.md', "with a file as material"),
        ("analyst < question.txt", "the question comes from a file"),
        ('architect "Queue or no queue?" --json', "answer, completeness and cost as JSON"),
    ),
    "run": (
        ("", "serves until SIGTERM"),
        ("--config /etc/greenroom.yaml", "with those settings"),
    ),
    "personas": (("list", "everybody"), ("show pm", "one of them"), ("check our-cast", "what is wrong with files")),
    "personas list": (
        ("", "everybody, and who stands behind whom"),
        ("--verbose", "with every finding"),
        ("--ids", "an id a line, for scripts"),
    ),
    "personas show": (("architect", "what was read of Winston"), ("qa --config ours.yaml", "with those settings")),
    "personas check": (("our-cast", "a folder"), ("our-cast/pm.md --json", "one file, as data")),
    "personas import": (
        ("bundle.md --into our-cast", "one file a persona"),
        ("bundle.md --into our-cast --force", "over what is there"),
    ),
    "personas new": (("", "into the first library folder"), ("--into our-cast", "into that one")),
    "slack": (("manifest > manifest.yaml", "for a new Slack app"),),
    "slack manifest": (
        ("> manifest.yaml", "Socket Mode"),
        ("--http https://bot.example.com", "signed HTTP requests"),
    ),
    "discord": (("invite", "the link that brings the bot onto a server"),),
    "discord invite": (("", "Discord is asked whose token it is"), ("--id 1098765432109876543", "nobody is asked")),
    "sessions": (
        ("list", "all conversations"),
        ("show terminal:local:general", "one of them"),
        ("export --all --to talks.jsonl", "writes them out"),
    ),
    "sessions list": (("", "the newest 100"), ("--limit 500 --json", "more of them, as data")),
    "sessions show": (("terminal:local:general", "with its last lines"), ("slack:T1:C2 --lines 50", "with more")),
    "sessions reset": (("terminal:local:general", "nobody on, nothing under way; its log stays"),),
    "sessions export": (
        ("terminal:local:general", "onto standard output"),
        ("--all --to talks.jsonl", "all of them, into a file"),
    ),
    "sessions import": (
        ("talks.jsonl", "under the keys that they had"),
        ("one.jsonl --as terminal:local:plans", "under another key"),
    ),
    "docs": (
        ("list", "which channels have documents"),
        ("show terminal:local:general docs/prd.md", "one of them"),
        ("export --all --to documents.jsonl", "all of them, with their versions"),
    ),
    "docs list": (("", "which channels have some"), ("terminal:local:general", "those of one channel")),
    "docs show": (
        ("terminal:local:general docs/prd.md", "as it stands"),
        ("terminal:local:general docs/prd.md --history", "its versions"),
    ),
    "docs export": (
        ("terminal:local:general", "onto standard output"),
        ("--all --to documents.jsonl", "those of all channels, into a file"),
    ),
    "docs import": (
        ("documents.jsonl", "into the channels that they were of"),
        ("one.jsonl --as terminal:local:plans", "into another channel"),
    ),
    "dead": (("list", "what the bot gave up on"), ("show 1", "one message"), ("replay 1", "tries it again")),
    "dead list": (("", "newest first"), ("--limit 10 --json", "ten of them, as data")),
    "dead show": (("1", "with what was said"),),
    "dead replay": (("1", "tries it again"), ("1 2 3", "tries several")),
    "audit": (
        ("", "who decided what, newest first"),
        ("--conversation slack:T1:C2 --limit 10", "in one conversation"),
    ),
    "forget": (
        ("user U024BE7LH --dry-run", "what would go with a person"),
        ("conversation terminal:local:general", "wipes a conversation"),
    ),
    "forget user": (
        ("U024BE7LH --dry-run", "only says what would go"),
        ("U024BE7LH --within slack:T1:", "in one workspace"),
    ),
    "forget conversation": (("terminal:local:general", "all but its audit trail"),),
    "usage": (("--by persona", "what was spent today"), ("--day 2026-11-21 --json", "on another day, as data")),
    "doctor": (("", "what is wrong, and what to do"), ("--online --json", "calls the model too; as data")),
    "completion": (
        ("bash > ~/.local/share/bash-completion/completions/greenroom", "for bash"),
        ("fish > ~/.config/fish/completions/greenroom.fish", "for fish"),
    ),
}
"""Examples by the words that lead to a command; "" is `greenroom` itself."""
