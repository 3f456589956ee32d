"""Secret settings resolved through Powertools Parameters, which keeps them for five minutes."""

import json
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from aws_lambda_powertools.utilities.parameters import (
    GetParameterError,
    SecretsProvider,
    SSMProvider,
)

from greenlight.model.errors import SettingsError
from greenlight.runtime.network import LOOK_UP_CONFIG
from greenlight.runtime.settings import (
    SecretReference,
    SecretSource,
    check_bot_token,
    check_signing_secret,
    check_webhook_url,
)

if TYPE_CHECKING:
    from collections.abc import Callable


class Secrets:
    """Reads secrets from where a setting says they are kept. A client is made when first needed."""

    def __init__(self, session: boto3.Session) -> None:
        self._session = session

    def webhook_url(self, reference: SecretReference, *, fresh: bool = False) -> str:
        """The Slack webhook URL; `fresh` reads it past the cache, as after a rotation.

        Raises SettingsError, without the value, when it cannot be read or is no webhook URL.
        """
        return self._checked(reference, check_webhook_url, fresh=fresh)

    def bot_token(self, reference: SecretReference, *, fresh: bool = False) -> str:
        """A bot's token; `fresh` as above. Raises SettingsError, without the value, likewise."""
        return self._checked(reference, check_bot_token, fresh=fresh)

    def signing_secret(self, reference: SecretReference) -> str:
        """Slack's signing secret. Raises SettingsError, without the value, likewise."""
        return self._checked(reference, check_signing_secret, fresh=False)

    def prepare(self, *references: SecretReference) -> None:
        """Makes the clients that read these secrets, and reads nothing."""
        for reference in references:
            if reference.source is SecretSource.SSM:
                self._ssm  # noqa: B018  # made once it is asked for
            elif reference.source is SecretSource.SECRETS_MANAGER:
                self._secrets_manager  # noqa: B018  # likewise

    def _checked(
        self, reference: SecretReference, check: "Callable[[str], str]", *, fresh: bool
    ) -> str:
        try:
            return check(self._resolve(reference, fresh=fresh))
        except ValueError as exc:
            raise SettingsError(f"the value of {reference} {exc}") from None

    def _resolve(self, reference: SecretReference, *, fresh: bool) -> str:
        held: object
        try:
            if reference.source is SecretSource.SSM:
                held = self._ssm.get(reference.value, decrypt=True, force_fetch=fresh)
            elif reference.source is SecretSource.SECRETS_MANAGER:
                held = self._secrets_manager.get(reference.value, force_fetch=fresh)
            else:
                held = reference.value
        except GetParameterError as exc:
            raise SettingsError(f"{reference} cannot be read: {exc}") from exc
        if isinstance(held, str) and held.lstrip().startswith("{"):
            held = _member(held, reference.variable)
        if not isinstance(held, str):
            wanted = f'must be text, or a JSON object with the key "{reference.variable}"'
            raise ValueError(wanted)  # noqa: TRY004  # a wrong value, whatever its type
        return held.strip()

    @cached_property
    def _ssm(self) -> SSMProvider:
        return SSMProvider(boto3_session=self._session, boto_config=LOOK_UP_CONFIG)

    @cached_property
    def _secrets_manager(self) -> SecretsProvider:
        return SecretsProvider(boto3_session=self._session, boto_config=LOOK_UP_CONFIG)


def _member(text: str, key: str) -> object:
    try:
        return json.loads(text).get(key)
    except ValueError:  # its text would show the secret
        return None
