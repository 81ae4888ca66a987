"""Names for people out of names for files, and back."""

from __future__ import annotations

import re
import unicodedata

_ACRONYMS = {
    word.casefold(): word
    for word in (
        {"AI", "API", "AR", "AWS", "B2B", "BMad", "CDN", "CI", "CD", "CLI", "CMS", "CPU", "CRM", "CSS", "CTO"}
        | {"CEO", "CFO", "DB", "DBA", "DDD", "DevEx", "DevOps", "DevSecOps", "DNS", "DR", "DX", "E2E", "ERP"}
        | {"ETL", "FAQ", "GCP", "GDPR", "GitHub", "GitLab", "GPU", "GraphQL", "HA", "HIPAA", "HR", "HTML"}
        | {"HTTP", "IaC", "IAM", "IDE", "iOS", "IoT", "IP", "IT", "JSON", "JS", "JavaScript", "JVM", "K8s"}
        | {"KPI", "KVM", "LLM", "LLMs", "MCP", "ML", "MLOps", "MVP", "NFR", "NFT", "NLP", "NoSQL", "OAuth"}
        | {"OKR", "OS", "PDF", "PHP", "PM", "PO", "PR", "PRD", "QA", "R&D", "RAG", "REST", "RFC", "ROI", "RPC"}
        | {"S3", "SDK", "SDN", "SEO", "SLA", "SLO", "SM", "SMS", "SoC", "SQL", "SRE", "SSL", "TDD", "TLS", "TS"}
        | {"TypeScript", "UI", "URL", "UX", "VM", "VMs", "VPN", "VR", "WebRTC", "XML", "YAML", "MySQL"}
        | {"MongoDB", "PostgreSQL", "OpenAPI", "macOS"}
    )
} | {"csharp": "C#", "cpp": "C++", "dotnet": ".NET", "nodejs": "Node.js", "nextjs": "Next.js", "vuejs": "Vue.js"}

_JOINED = {("ci", "cd"): "CI/CD", ("ui", "ux"): "UI/UX", ("ux", "ui"): "UX/UI"}
_SMALL = frozenset(["a", "an", "and", "as", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"])

_ICONS = (
    ("secur|complian|privacy|auth", "🔒"),
    ("backup|disaster|recover|fault", "🛟"),
    ("database|sql|postgres|mongo|data-state", "🗄️"),
    ("storage|volume", "💾"),
    ("network|sdn|mesh|gateway", "🌐"),
    ("load-balanc|scal", "⚖️"),
    ("perform|telemetr|monitor|observab", "📈"),
    ("bill|account|finance|cost|payment", "💰"),
    ("schedul|workflow|orchestr", "🗓️"),
    ("test|qa|quality", "🧪"),
    ("design|ux|ui", "🎨"),
    ("document|writer|docs|content", "📝"),
    ("migrat", "🚚"),
    ("cloud|k8s|kubernetes|container|docker", "☁️"),
    ("ml|predict|analytic|data|analyst|analysis", "📊"),
    ("microservice|distributed", "🕸️"),
    ("architect|arch", "🏗️"),
    ("template|generator", "🧩"),
    ("config|automation|devops|infra", "⚙️"),
    ("research", "🔎"),
    ("review|audit", "🧐"),
    ("debug|bug", "🐛"),
    ("develop|dev|engineer|programm|coder", "💻"),
    ("manager|product|project", "📋"),
)
_ICON_RULES = tuple((re.compile(rf"(?:^|[-_ ])(?:{words})", re.IGNORECASE), icon) for words, icon in _ICONS)


def display_name(ident: str) -> str:
    """`vm-migration-architect` as people write it: `VM Migration Architect`.

    A text that has capitals and spaces of its own is already a name and stays as it is.
    """
    if " " in ident.strip() and ident != ident.lower():
        return " ".join(ident.split())
    words = [word for word in re.split(r"[-_\s]+", ident) if word]
    shown: list[str] = []
    skip = False
    for place, word in enumerate(words):
        if skip:
            skip = False
            continue
        pair = tuple(part.casefold() for part in words[place : place + 2])
        if len(pair) == 2 and pair in _JOINED:
            shown.append(_JOINED[(pair[0], pair[1])])
            skip = True
        else:
            shown.append(_word(word, first=not shown, single=len(words) == 1))
    return " ".join(shown)


def slug(name: str) -> str:
    """An id made of a name: lower case, letters and digits of any script, hyphens between; may be empty."""
    # Turkish dotted and dotless i are one, as where names are compared.
    text = unicodedata.normalize("NFKC", name).casefold().replace("\u0307", "").replace("ı", "i")
    return re.sub(r"[^\w]+", "-", text.replace("_", "-")).strip("-")


def default_icon(*hints: str) -> str:
    """An icon that fits the first hint with a known word in it; 🤖 where none does."""
    for hint in hints:
        for pattern, icon in _ICON_RULES:
            if pattern.search(hint):
                return icon
    return "🤖"


def _word(word: str, *, first: bool, single: bool) -> str:
    lower = word.casefold()
    if lower in _ACRONYMS:
        return _ACRONYMS[lower]
    if lower in _SMALL and not first:
        return lower
    if single and word.isupper():
        return word
    if word != lower and not word.isupper():
        return word
    return lower[:1].upper() + lower[1:]
