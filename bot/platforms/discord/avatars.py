"""A face for each persona: its initials on a colour of its own, kept at Discord as an emoji of the application.

A webhook's post names the address of a picture, and a bot at home has no public server. An application's emoji has a
lasting address on Discord's CDN, and an application may have 2,000 of them (docs, emoji resource).
"""

from __future__ import annotations

import asyncio
import base64
import colorsys
import io
import logging
import time
from hashlib import blake2b

from discord.asset import Asset
from PIL import Image, ImageDraw, ImageFont

from bot.core.model import Voice
from bot.platforms.discord.web import RefusedError, UnansweredError, Web

log = logging.getLogger(__name__)

SIZE = 128
"""Width and height in pixels, those that Discord recommends for an emoji."""

AGAIN = 600.0
"""Seconds after which it is tried again to keep a picture that Discord did not take."""

VERSION = 1
"""Goes up when the same voice is drawn differently, so that it is drawn anew."""


def initials(name: str) -> str:
    """One or two letters that stand for a name; "" where it has none that can be drawn."""
    words = [word for word in name.split() if word[0].isalnum()]
    letters = [words[0], *words[-1:]] if len(words) > 1 else words
    found = "".join(word[0] for word in letters).upper()
    # The font that comes with Pillow has Latin letters alone.
    return found if all(ord(letter) < 0x250 for letter in found) else ""


def colour(persona: str) -> tuple[int, int, int]:
    """A colour of a persona's own, dark enough for white letters."""
    hue = int.from_bytes(blake2b(persona.encode(), digest_size=2).digest()) / 65536
    red, green, blue = colorsys.hls_to_rgb(hue, 0.38, 0.55)
    return round(red * 255), round(green * 255), round(blue * 255)


def emoji_name(voice: Voice) -> str:
    """The name of the emoji that keeps a voice's picture, the same for the same picture."""
    what = f"{VERSION}|{initials(voice.name)}|{colour(voice.persona)}"
    return f"gr_{blake2b(what.encode(), digest_size=10).hexdigest()}"


def drawn(voice: Voice) -> bytes:
    """The picture of a voice, as PNG: a disc where it has no initials."""
    image = Image.new("RGB", (SIZE, SIZE), colour(voice.persona))
    pen = ImageDraw.Draw(image)
    if letters := initials(voice.name):
        font = ImageFont.load_default(SIZE * 0.5 if len(letters) > 1 else SIZE * 0.6)
        pen.text((SIZE / 2, SIZE / 2), letters, fill="white", font=font, anchor="mm")
    else:
        pen.ellipse((SIZE * 0.3, SIZE * 0.3, SIZE * 0.7, SIZE * 0.7), fill="white")
    found = io.BytesIO()
    image.save(found, "PNG", optimize=True)
    return found.getvalue()


class Avatars:
    """The pictures at Discord. Where one cannot be kept, posts go out without: the icon is in the name."""

    def __init__(self, web: Web, application: str, *, wanted: bool) -> None:
        self._web, self._application, self._wanted = web, application, wanted
        self._known: dict[str, str] | None = None
        self._later = 0.0
        self._lock = asyncio.Lock()

    async def url(self, voice: Voice) -> str | None:
        """Where a voice's picture is; None without one. The first call for a voice draws it and has it kept."""
        if not self._wanted or not voice.persona:
            return None
        name = emoji_name(voice)
        if self._known is None or name not in self._known:
            async with self._lock:
                if time.monotonic() >= self._later:
                    await self._keep(name, voice)
        ident = (self._known or {}).get(name)
        return f"{Asset.BASE}/emojis/{ident}.png" if ident else None

    async def _keep(self, name: str, voice: Voice) -> None:
        path, application = "/applications/{application_id}/emojis", self._application
        try:
            if self._known is None:
                listed = await self._web.call("GET", path, application_id=application)
                self._known = {str(each["name"]): str(each["id"]) for each in listed["items"]}
            if name not in self._known:
                image = "data:image/png;base64," + base64.b64encode(await asyncio.to_thread(drawn, voice)).decode()
                body = {"name": name, "image": image}
                made = await self._web.call("POST", path, body, application_id=application)
                self._known[name] = str(made["id"])
        except (RefusedError, UnansweredError) as error:
            self._later = time.monotonic() + AGAIN
            log.warning("the picture of %s cannot be kept at Discord (%s); it speaks without one", voice.name, error)
