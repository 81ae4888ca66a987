"""Replies that did not end by themselves, and talks that grow beyond what a model can read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.asks import REQUEST
from bot.core.events import Usage
from bot.core.prompt import Prompt
from bot.ports.model import ModelError
from tests.fakes.model import Says, Script
from tests.scenario.stage import Stage, answering, stage


def texts(prompt: Prompt) -> str:
    return "\n".join(b.json for m in prompt.messages for b in m.blocks)


# ---------------------------------------------------------------- continue and retry


async def test_a_failed_reply_is_asked_for_again_without_saying_it_again() -> None:
    def script(_prompt: Prompt, n: int) -> Says | ModelError:
        return ModelError("overloaded") if n == 1 else Says.text("Here I am.")

    async with stage(script) as s:
        await s.say("*architect")
        await s.say("why queues?")
        (reply,) = await s.say("*retry")
        assert reply.text == "Here I am."
        assert texts(s.model.prompts[1]) == texts(s.model.prompts[0])


async def test_a_cut_reply_is_gone_on_with() -> None:
    def script(_prompt: Prompt, n: int) -> Says | ModelError:
        return ModelError("network", partial="First half") if n == 1 else Says.text("and second half.")

    async with stage(script) as s:
        await s.say("*architect")
        await s.say("why queues?")
        (reply,) = await s.say("*continue")
        assert reply.text == "and second half."
        assert "Go on exactly where your last message ended" in texts(s.model.prompts[1])
        assert texts(s.model.prompts[1]).startswith(texts(s.model.prompts[0]))


async def test_a_stopped_reply_can_be_asked_for_again() -> None:
    async with stage(answering("One two three four.")) as s:

        async def stop(n: int, piece: int) -> None:
            if (n, piece) == (1, 2):
                await s.inbox.receive(s.platform.said("stop"))

        s.model.on_piece = stop
        await s.say("*architect")
        await s.say("count")
        (reply,) = await s.say("*retry")
        assert reply.text == "One two three four."


@pytest.mark.parametrize("command", ["*continue", "*retry"])
async def test_with_nothing_unfinished_no_model_is_asked(command: str) -> None:
    async with stage(answering("Whole.")) as s:
        await s.say(command)
        await s.say("*architect")
        await s.say("hello")
        (told,) = await s.say(command)
        assert told.text.startswith("There is no")
        assert len(s.model.prompts) == 1


# ---------------------------------------------------------------- compaction

SMALL = Usage(input=100, output=20, model="fake")
LARGE = Usage(input=900, output=20, model="fake")


def growing(summary: Says | ModelError) -> Script:
    """Replies whose prompts are large from the third on, until a summary stands in their place."""

    def script(prompt: Prompt, n: int) -> Says | ModelError:
        said = texts(prompt)
        if said.rstrip('"}').endswith(REQUEST[-30:]):
            return summary
        return replace(Says.text(f"Reply {n}."), usage=LARGE if n >= 3 and "summary of what" not in said else SMALL)

    return script


async def long_talk(s: Stage) -> None:
    s.worker.options = replace(s.worker.options, context=1000, compact_at=0.75)
    await s.say("*architect")
    for text in ("alpha", "beta", "gamma", "delta"):
        await s.say(text)


async def test_a_talk_near_the_limit_is_summed_up_by_the_persona_and_said_so() -> None:
    async with stage(growing(Says.text("They like Greek letters."))) as s:
        await long_talk(s)
        assert s.platform.texts[-3:] == [
            "Reply 3.",
            "This talk has grown long: Winston summed up its beginning and goes on from there.",
            "Reply 5.",
        ]
        assert [e.text for e in await s.log() if e.kind == "compact"] == ["They like Greek letters."]
        third, summing = s.model.prompts[2:4]
        assert (summing.system, summing.tools) == (third.system, third.tools)
        assert texts(summing).startswith(texts(third)), "the summary is asked for with the very same prefix"


async def test_after_a_summary_the_prompt_begins_with_it_and_grows_from_there() -> None:
    async with stage(growing(Says.text("They like Greek letters."))) as s:
        await long_talk(s)
        await s.say("epsilon")
        first, second = s.model.prompts[4:6]
        assert first.messages[0].blocks[0].json.endswith('before:\\n  They like Greek letters."}')
        assert REQUEST not in texts(first)
        assert "alice: beta" in texts(first) and "alice: delta" in texts(first)
        assert texts(second).startswith(texts(first))


async def test_a_much_longer_talk_keeps_only_its_last_lines_word_for_word() -> None:
    async with stage(growing(Says.text("Summed up."))) as s:
        s.worker.options = replace(s.worker.options, context=1000, compact_at=0)
        await s.say("*architect")
        for n in range(9):
            await s.say(f"line {n}")
        s.worker.options = replace(s.worker.options, compact_at=0.75)
        await s.say("line 9")
        await s.say("and now?")
        last = texts(s.model.prompts[-1])
        assert [n for n in range(10) if f"line {n}" in last] == [8, 9], "and what was asked since"


@pytest.mark.parametrize("summary", [ModelError("overloaded"), Says(), Says.text("Half", "max_tokens")])
async def test_a_summary_that_fails_is_told_and_tried_again(summary: Says | ModelError) -> None:
    async with stage(growing(summary)) as s:
        await long_talk(s)
        assert s.platform.texts[-2].endswith("The next reply tries again.")
        await s.say("epsilon")
        assert sum("tries again" in text for text in s.platform.texts) == 2
        assert [e for e in await s.log() if e.kind == "compact"] == []


async def test_only_the_persona_whose_talk_is_long_sums_it_up() -> None:
    large, small = replace(Says.text("So it is."), usage=LARGE), replace(Says.text("Hello."), usage=SMALL)

    def script(prompt: Prompt, _n: int) -> Says:
        return large if prompt.who == "bmad-orchestrator" and REQUEST not in texts(prompt) else small

    async with stage(script) as s:
        s.worker.options = replace(s.worker.options, context=1000, compact_at=0.75)
        await s.say("*bmad-orchestrator")
        await s.say("a long story")
        await s.say("*pm")
        await s.say("and you?")
        assert "summed up" not in "".join(s.platform.texts), "this talk has only begun"
        await s.say("*exit")
        await s.say("1")
        await s.say("where were we?")
        assert "BMad Orchestrator summed up its beginning" in "".join(s.platform.texts)


async def test_an_exit_and_a_return_begin_afresh_after_a_summary() -> None:
    async with stage(growing(Says.text("Old things."))) as s:
        await long_talk(s)
        await s.say("*exit")
        await s.say("*architect")
        await s.say("new things")
        begun = texts(s.model.prompts[5])
        assert begun.endswith('{"type":"text","text":"alice: new things"}')
        assert "Your own summary of what was said before:\\n  Old things." in begun
        assert "alpha" not in begun and "delta" not in begun, "that is in the summary"
        await s.say("*pm")
        await s.say("and you?")
        assert "[host] Winston's summary of what was said before:\\n  Old things." in texts(s.model.prompts[6])


# ---------------------------------------------------------------- what was used


async def test_status_tells_what_a_talk_has_used() -> None:
    usage = Usage(input=100, output=50, cache_read=900, model="fake")
    async with stage(lambda _p, _n: replace(Says.text("Yes."), usage=usage)) as s:
        s.worker.options = replace(s.worker.options, context=10_000, price=lambda u: u.read / 1_000_000)
        await s.say("*architect")
        assert "tokens" not in (await s.say("*status"))[0].text
        await s.say("one")
        await s.say("two")
        (told,) = await s.say("*status")
        assert "Context: 1,050 tokens (10% of 10,000)" in told.text
        assert "Used so far: 2,000 tokens read, 90% of them from the cache, 100 written; $0.0020" in told.text


async def test_a_price_that_is_not_known_is_not_made_up() -> None:
    async with stage(answering("Yes.")) as s:
        await s.say("*architect")
        await s.say("one")
        assert (await s.say("*status"))[0].text.endswith("cost unknown")
