"""A document as one HTML file that loads nothing and runs nothing: tables, code and links, and a sober style."""

from __future__ import annotations

from html import escape

import nh3

from bot.exporting.marks import SCHEMES, parser, title, tokens

_TAGS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "ul", "ol", "li", "blockquote", "pre", "code"),
    *("table", "thead", "tbody", "tr", "th", "td", "strong", "em", "s", "a"),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"class"},
    "ol": {"start"},
    "td": {"style"},
    "th": {"style"},
}
_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;"
    "background:#fff}h1,h2,h3{line-height:1.2}table{border-collapse:collapse;margin:1rem 0}th,td{border:1px solid #bbb;"
    "padding:.3rem .6rem;text-align:left;vertical-align:top}th{background:#f2f2f2}code{font-family:ui-monospace,"
    "Consolas,monospace;font-size:.9em}pre{background:#f6f6f6;border:1px solid #ddd;padding:.8rem;overflow:auto}"
    "blockquote{margin:1rem 0;padding-left:1rem;border-left:3px solid #bbb;color:#444}"
    "@media print{body{margin:0;max-width:none}pre{white-space:pre-wrap}}"
)


def written(markdown: str, name: str) -> bytes:
    """The document as an HTML file in UTF-8; its title is its first heading, else `name`."""
    found = tokens(markdown)
    reader = parser()
    # What the reader's rules make is clean already; the second look is for what they do not foresee.
    body = nh3.clean(
        reader.renderer.render(found, reader.options, {}),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=set(SCHEMES),
        link_rel="noopener noreferrer",
        filter_style_properties={"text-align"},
    )
    called = escape(title(found, name))
    return (
        '<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{called}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    ).encode("utf-8", "replace")
