"""Files that people send on Slack: where they are, and what they say."""

from __future__ import annotations

from dataclasses import replace

from yarl import URL

from bot.core.model import Attachment
from bot.platforms.attachments import Source, fetched
from bot.platforms.slack.arrival import attachment
from bot.platforms.slack.web import RefusedError, UnansweredError, Web
from bot.ports.transport import TransportError

ORIGINS = frozenset(("https://files.slack.com", "https://files.slack-gov.com"))
"""Slack's hosts for files (docs, file object: `url_private`; GovSlack has its own), to which the token may go."""

WITHHELD = "Slack did not let me have it ({code})"


class Files:
    """The files of one workspace."""

    def __init__(self, web: Web) -> None:
        self._web = web
        # The token goes to the API in any case, so files may come from there too: a gateway, or a fake.
        origins = ORIGINS | {str(URL(web.client.base_url).origin())}
        self._source = Source("Slack", origins, {"Authorization": f"Bearer {web.client.token}"})

    async def read(self, file: Attachment, room: int) -> Attachment:
        """The file with its text, or with its problem. Raises TransportError where it may be read a little later."""
        if not file.problem and file.ref and "://" not in file.ref:
            file = await self._described(file)
        if file.problem or not file.ref:
            return file
        return await fetched(file, self._source, self._web.session, room)

    async def _described(self, file: Attachment) -> Attachment:
        """What Slack tells of a file of which the message has only the id (docs, file object: `check_file_info`)."""
        try:
            found = attachment((await self._web.call("files.info", again=True, now=True, file=file.ref))["file"])
        except RefusedError as error:
            return replace(file, problem=WITHHELD.format(code=error.code))
        except UnansweredError as error:
            raise TransportError(f"Slack does not say where it is: {error}") from error
        return (
            found if "://" in found.ref or found.problem else replace(found, problem="Slack does not say where it is")
        )
