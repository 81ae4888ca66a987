"""A model behind the Messages API: Anthropic's own, or any server that speaks it."""

from __future__ import annotations

import asyncio
import importlib
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.core.events import Usage
from bot.core.prompt import Prompt
from bot.models import request
from bot.models.breaker import Breaker
from bot.models.counts import bounded
from bot.models.faults import Fault, clean, fault
from bot.models.incoming import IncomingReply, OversizedError
from bot.models.options import ModelOptions
from bot.models.pacing import ReadPace
from bot.models.silence import Silence
from bot.models.sse import EventReader, TooLongError
from bot.ports.clock import Clock
from bot.ports.model import Meter, ModelError, Reply, Show

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic, AsyncAPIResponse

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
"""Seconds before the second attempt, doubled for each further one, and the most that they come to."""

CONNECT = 10.0
"""Seconds for a connection to stand; a server that is there needs less."""

LETTERS = 4
"""About so many letters make a token."""

CLOSING = 1.0
"""Seconds in which the service closes a stream whose message has ended; after that the connection is given up."""

_WIDEST = 6
"""Bytes that a character takes at most in JSON: an escape."""

_KEYLESS = "none"
"""Sent to servers that ask for no key: the SDK refuses to send nothing."""

_chance = random.SystemRandom()


class _FailedError(ModelError):
    """One attempt has failed; `wait` and `may_pass` are the `Fault`'s."""

    def __init__(self, found: Fault, partial: str, usage: Usage) -> None:
        super().__init__(found.reason, found.detail, partial, usage)
        self.wait = found.wait
        self.may_pass = found.may_pass


class AnthropicModel:
    """A `bot.ports.model.Model` on the `anthropic` SDK, which is imported with the first call and not before."""

    def __init__(self, options: ModelOptions, key: str, clock: Clock, breaker: Breaker | None = None) -> None:
        self._options = options
        self._key = key
        self._clock = clock
        self._breaker = breaker or Breaker(clock)
        self._client: AsyncAnthropic | None = None

    async def reply(self, prompt: Prompt, show: Show) -> Reply:
        """Answer `prompt`. Failures of the service are tried again, until a first piece of text was shown.

        A refusal, and a reply that ran into a limit, are replies with that stop reason. Raises ModelError.
        """
        if not self._key and not self._options.base_url:
            raise ModelError("no-key")
        model = self._options.choose(prompt.model)
        body = request.body(prompt, self._options, model)
        client = await self._connected()
        began, tries = self._clock.steady(), 1
        while True:
            try:
                with self._breaker.attempt(model):
                    return await self._attempt(client, body, model, show)
            except _FailedError as error:
                pause = _pause(tries) if error.wait is None else error.wait
                is_late = self._clock.steady() - began + pause > self._options.retry
                if not error.may_pass or error.partial or is_late or self._breaker.is_open(model):
                    raise _told(error, tries) from error.__cause__
            await self._clock.sleep(pause)
            tries += 1

    def resting(self) -> tuple[str, ...]:
        """The models that are left alone for a while, because they failed too often."""
        return self._breaker.resting()

    async def close(self) -> None:
        """Let go of connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _attempt(self, client: AsyncAnthropic, body: dict[str, Any], model: str, show: Show) -> Reply:
        incoming, text = IncomingReply(self._options.longest_reply), list[str]()
        kind, not_ours = "unknown", None

        async def take(piece: str) -> None:
            nonlocal not_ours
            text.append(request.whole(piece))
            try:
                await show(text[-1])
            except Exception as error:
                not_ours = error
                raise

        def failed(error: Exception) -> _FailedError:
            found = fault(error, began=incoming.has_begun, now=self._clock.now(), key=self._key)
            return _FailedError(found, "".join(text), _usage(incoming, model))

        try:
            async with (
                Silence(self._options.timeout) as silence,
                client.messages.with_streaming_response.create(**body, stream=True) as response,
            ):
                kind = response.headers.get("content-type", kind)
                await self._read(response, incoming, silence, take, model)
        except asyncio.CancelledError:
            if incoming.has_begun and isinstance(show, Meter):
                show.used(_so_far(incoming, model))
            raise
        except (OversizedError, TooLongError):
            come = request.content([{"type": "text", "text": "".join(text)}])
            return Reply(come, "oversized", _so_far(incoming, model))
        except Exception as error:
            if error is not_ours:
                raise
            if not incoming.has_ended:
                raise failed(error) from error
        if not incoming.has_begun:
            found = Fault("garbage", clean(f"an answer of type {kind} without a message"))
            raise _FailedError(found, "", Usage(model=model))
        try:
            content = request.content(incoming.blocks())
        except ValueError as error:
            raise failed(error) from error
        if incoming.stop is None:
            # A stream that just ends gives no exception.
            raise _FailedError(Fault("cut"), "".join(text), _usage(incoming, model))
        return Reply(content, incoming.stop, _usage(incoming, model))

    async def _read(
        self,
        response: AsyncAPIResponse[Any],
        incoming: IncomingReply,
        silence: Silence,
        take: Callable[[str], Awaitable[None]],
        model: str,
    ) -> None:
        """Read events to the stream's end; the text that has come with each read goes to `take`.

        The SDK's own reader makes a typed object of each event, and a new message of each piece: half of what a turn
        cost. It passes over events without a name too, and those of other names than the API's come to nothing here.
        """
        reader, pace = EventReader(_WIDEST * self._options.longest_reply), ReadPace(response)
        async for chunk in response.iter_bytes():
            if incoming.has_ended:
                continue  # read to the end, the connection can be used again
            pieces: list[str] = []
            letters = incoming.letters
            try:
                is_alive = self._taken(reader.read(chunk), response, incoming, pieces)
            finally:
                if pieces:  # also what has come before an event that ends the reply
                    with silence.paused():
                        await take("".join(pieces))
            if is_alive:
                silence.heard()
                self._breaker.answers(model)
            if incoming.has_ended:
                silence.shorten(CLOSING)
            elif incoming.letters > letters:
                with silence.paused():
                    await pace.pause()

    def _taken(
        self,
        events: list[tuple[str, str]],
        response: AsyncAPIResponse[Any],
        incoming: IncomingReply,
        pieces: list[str],
    ) -> bool:
        """Take events in, their text into `pieces`; whether one of them shows that somebody is writing."""
        import anthropic

        is_alive = False
        for name, data in events:
            if name == "error":
                raise anthropic.APIStatusError(data, response=response.http_response, body=_body(data))
            if not name or name == "ping":
                continue
            piece, is_sign_of_life = incoming.take(data)
            is_alive = is_alive or is_sign_of_life
            if piece:
                pieces.append(piece)
            elif incoming.has_ended:
                break
        return is_alive

    async def _connected(self) -> AsyncAnthropic:
        if self._client is None:
            # The import takes most of a second: in a thread, so that nobody else waits for it.
            await asyncio.to_thread(_load)
        if self._client is None:
            import anthropic
            import httpx2

            try:
                self._client = anthropic.AsyncAnthropic(
                    api_key=self._key or _KEYLESS,
                    base_url=self._options.base_url or None,
                    timeout=anthropic.Timeout(self._options.timeout, connect=min(CONNECT, self._options.timeout)),
                    max_retries=0,  # the SDK obeys a `retry-after` of any length; here one budget holds for all waiting
                    http_client=anthropic.DefaultAioHttpClient(),
                )
            except (httpx2.InvalidURL, ValueError) as error:
                # The SDK reads the proxy's address from the environment, and takes no other address than ours.
                raise ModelError("proxy", clean(str(error), self._key)) from error
        return self._client


def _load() -> None:
    for module in ("anthropic", "anthropic.resources.messages", "aiohttp", "jiter"):
        importlib.import_module(module)


def _pause(tries: int) -> float:
    """Seconds before the next attempt; a quarter is left to chance, so that replicas do not come back as one."""
    return min(FIRST_PAUSE * 2.0 ** (tries - 1), LONGEST_PAUSE) * _chance.uniform(0.75, 1.0)


def _told(error: _FailedError, tries: int) -> ModelError:
    """The failure of the last attempt, with what people need to know of the others."""
    parts = [error.detail] if error.detail else []
    if tries > 1:
        parts.append(f"tried {tries} times")
    if error.wait:
        parts.append(f"the service asks to wait {error.wait:.0f} s")
    return ModelError(error.reason, "; ".join(parts), error.partial, error.usage)


def _body(data: str) -> object:
    """The JSON of an error event, or its text where that is none."""
    try:
        return json.loads(data)
    except ValueError:
        return data


def _so_far(incoming: IncomingReply, model: str) -> Usage:
    """What a reply has cost of which only a part has come: the service counts the output at its end."""
    told = _usage(incoming, model)
    return replace(told, output=max(told.output, -(-incoming.letters // LETTERS)))


def _usage(incoming: IncomingReply, model: str) -> Usage:
    """What the call has cost so far, under the id that was asked for: prices are kept by that."""

    def count(name: str) -> int:
        # Nothing of it is checked, and not every server counts everything.
        return bounded(name, incoming.usage.get(name))

    return Usage(
        input=count("input_tokens"),
        output=count("output_tokens"),
        cache_read=count("cache_read_input_tokens"),
        cache_write=count("cache_creation_input_tokens"),
        model=model,
    )
