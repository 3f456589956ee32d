"""The ways to tell people: a bot, a webhook, or the bot with the webhook as its way out."""

import functools
from typing import TYPE_CHECKING, Protocol

from greenlight.model.errors import (
    SettingsError,
    SlackBotError,
    SlackError,
    SlackRefusedError,
)
from greenlight.model.gate import Place
from greenlight.model.message import Message
from greenlight.runtime.network import HTTP_TRY_SECONDS, Countdown
from greenlight.runtime.observability import BOT_FAILED, count, logger
from greenlight.slack.webhook import SlackWebhook

if TYPE_CHECKING:
    import requests

    from greenlight.runtime.secrets import Secrets
    from greenlight.runtime.settings import SlackSettings
    from greenlight.slack.bot import SlackBot


class Way(Protocol):
    """A channel that people read; `in_doubt`: it may have taken a message that seemed to fail."""

    @property
    def in_doubt(self) -> bool:
        """Whether Slack may have taken a message whose answer did not come."""

    def check(self) -> None:
        """Raises SettingsError if nothing can be posted: there is no URL and no token."""

    def post(
        self, message: Message, under: Place | None = None, *, broadcast: bool = False
    ) -> Place | None:
        """Posts a message, or an answer under one, which `broadcast` shows all.

        Where it is, if it can be changed there. Raises SlackError or SettingsError.
        """

    def update(self, place: Place, message: Message) -> bool:
        """Changes a message in place; False where that cannot be done. Raises likewise."""


class BotOrWebhook:
    """A bot, and a webhook that takes over where the bot cannot post.

    A bot that has failed is out for the rest of the invocation: what it could not change is not
    posted by it anew, so that the message whose buttons are still there is not forgotten.
    """

    def __init__(self, bot: "SlackBot", webhook: SlackWebhook, countdown: Countdown) -> None:
        self._bot = bot
        self._webhook = webhook
        self._countdown = countdown
        self._is_out = False

    @property
    def in_doubt(self) -> bool:
        """Whether Slack may have taken a message whose answer did not come."""
        return self._bot.in_doubt or self._webhook.in_doubt

    def check(self) -> None:
        """Raises SettingsError if there is neither a token nor a URL."""
        try:
            self._bot.check()
        except SettingsError as exc:
            self._instead(exc)
            self._webhook.check()

    def post(
        self, message: Message, under: Place | None = None, *, broadcast: bool = False
    ) -> Place | None:
        """Posts a message, as the bot does; else as the webhook does, if that can still end.

        What the bot may have posted, or what is refused, is not posted again here.
        """
        if not self._is_out:
            try:
                return self._bot.post(message, under, broadcast=broadcast)
            except SlackRefusedError:
                raise
            except (SlackError, SettingsError) as exc:
                if self._bot.in_doubt or not self._countdown.allows(HTTP_TRY_SECONDS):
                    raise
                self._instead(exc)
        self._webhook.post(message)
        return None

    def update(self, place: Place, message: Message) -> bool:
        """Changes a message in place; False where the bot may not, or is out.

        What may work at the next try is raised: said anew, the message would keep its buttons.
        """
        if self._is_out:
            return False
        try:
            return self._bot.update(place, message)
        except (SlackBotError, SettingsError) as exc:
            self._instead(exc)
            return False

    def _instead(self, problem: SlackError | SettingsError) -> None:
        self._is_out = True
        logger.warning("The bot cannot: the webhook is used", error=str(problem))
        count(BOT_FAILED)


def way(
    settings: "SlackSettings", http: "requests.Session", secrets: "Secrets", countdown: Countdown
) -> Way:
    """The way that settings name."""

    def webhook_url(*, fresh: bool = False) -> str:
        if settings.webhook is None:
            raise SettingsError("SLACK_WEBHOOK_URL is not set, or is wrong")
        return secrets.webhook_url(settings.webhook, fresh=fresh)

    webhook = SlackWebhook(http, webhook_url, countdown)
    if settings.bot is None:
        return webhook
    # A cold start without a bot need not read its code.
    from greenlight.slack.bot import SlackBot  # noqa: PLC0415

    token = functools.partial(secrets.bot_token, settings.bot.token)
    bot = SlackBot(http, token, settings.bot.channel, settings.bot.api_url, countdown)
    return BotOrWebhook(bot, webhook, countdown) if settings.webhook else bot
