"""The Web API's methods as data: what each takes, which scope it needs, how often it may be called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Takes = Literal["bot", "app"]


@dataclass(frozen=True, slots=True)
class Method:
    """`scopes`: any one of them will do; methods whose scope depends on the channel's kind check it themselves.

    `per_minute` is the tier's number of calls a minute. `json`: the method takes a JSON body as well as a form.
    """

    required: frozenset[str]
    optional: frozenset[str]
    per_minute: int
    scopes: tuple[str, ...] = ()
    token: Takes = "bot"
    json: bool = True


def _method(
    required: str = "",
    optional: str = "",
    *scopes: str,
    per_minute: int = 100,
    token: Takes = "bot",
    json: bool = True,
) -> Method:
    return Method(frozenset(required.split()), frozenset(optional.split()), per_minute, scopes, token, json)


_LOOK = "icon_emoji icon_url username"
_CONTENT = "text blocks attachments markdown_text"
_PAGE = "cursor limit"

METHODS: Mapping[str, Method] = {
    "auth.test": _method(per_minute=200),
    "apps.connections.open": _method(per_minute=50, token="app"),  # a kind of token, not one
    "chat.postMessage": _method(
        "channel",
        f"{_CONTENT} {_LOOK} thread_ts reply_broadcast metadata mrkdwn parse link_names as_user unfurl_links "
        "unfurl_media unfurl_app_links",
        "chat:write",
        per_minute=300,
    ),
    "chat.postEphemeral": _method(
        "channel user", f"{_CONTENT} {_LOOK} thread_ts metadata parse link_names as_user", "chat:write"
    ),
    "chat.update": _method(
        "channel ts",
        f"{_CONTENT} as_user file_ids link_names parse reply_broadcast metadata",
        "chat:write",
        per_minute=50,
    ),
    "chat.delete": _method("channel ts", "as_user", "chat:write", per_minute=50),
    "chat.startStream": _method(
        "channel",
        f"thread_ts markdown_text chunks recipient_team_id recipient_user_id task_display_mode {_LOOK}",
        "chat:write",
        per_minute=20,
    ),
    "chat.appendStream": _method("channel ts", "markdown_text chunks", "chat:write"),
    "chat.stopStream": _method(
        "channel ts", "markdown_text chunks blocks metadata session_status", "chat:write", per_minute=20
    ),
    "assistant.threads.setStatus": _method(
        "channel_id thread_ts status", f"loading_messages {_LOOK}", "chat:write", "assistant:write", per_minute=600
    ),
    "agents.sessions.setStatus": _method(
        "channel_id status", f"thread_ts title initiator_user_id {_LOOK}", "chat:write"
    ),
    "assistant.threads.setSuggestedPrompts": _method("channel_id prompts", "thread_ts title", "assistant:write"),
    "conversations.history": _method(
        "channel", f"{_PAGE} inclusive include_all_metadata latest oldest", per_minute=50, json=False
    ),
    "conversations.replies": _method(
        "channel ts", f"{_PAGE} inclusive include_all_metadata latest oldest", per_minute=50, json=False
    ),
    "conversations.info": _method("channel", "include_locale include_num_members", per_minute=50, json=False),
    "conversations.list": _method("", f"{_PAGE} exclude_archived team_id types", per_minute=20, json=False),
    "users.conversations": _method("", f"{_PAGE} exclude_archived team_id types user", per_minute=50, json=False),
    "conversations.members": _method("channel", _PAGE, json=False),
    "conversations.open": _method("", "channel users return_im prevent_creation", per_minute=50),
    "users.info": _method("user", "include_locale", "users:read", json=False),
    "users.list": _method("", f"{_PAGE} include_locale team_id", "users:read", per_minute=20, json=False),
    "views.open": _method("view", "trigger_id interactivity_pointer"),
    "views.update": _method("view", "view_id external_id hash"),
    "views.publish": _method("user_id view", "hash"),
    "files.getUploadURLExternal": _method("filename length", "alt_txt snippet_type", "files:write", json=False),
    "files.completeUploadExternal": _method(
        "files", f"channel_id channels initial_comment thread_ts blocks {_LOOK}", "files:write"
    ),
    "files.info": _method("file", f"{_PAGE} count page", "files:read", json=False),
    "reactions.add": _method("channel name timestamp", "", "reactions:write", per_minute=50),
    "bots.info": _method("", "bot team_id", "users:read", per_minute=50, json=False),
    "team.info": _method("", "team domain include_slackbot_availability", "team:read", per_minute=50, json=False),
}

MANIFEST_SCOPES = frozenset(
    {
        "app_mentions:read", "channels:history", "groups:history", "im:history", "mpim:history", "channels:read",
        "groups:read", "im:read", "im:write", "mpim:read", "chat:write", "chat:write.customize", "commands",
        "users:read", "files:read", "files:write", "assistant:write",
    }
)  # fmt: skip
"""The bot scopes of the app unless a test says otherwise."""

HISTORY = {"channel": "channels:history", "group": "groups:history", "im": "im:history", "mpim": "mpim:history"}
READ = {"channel": "channels:read", "group": "groups:read", "im": "im:read", "mpim": "mpim:read"}
TYPES = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
