"""What to type, for the errors of AWS that a test cannot have AWS make."""

import pytest
from botocore.exceptions import LoginRefreshRequired

from greenlight.model.errors import GreenlightError, TableError
from greenlight.runtime.network import Countdown
from greenlight_cli.advice import advice
from greenlight_cli.caller import CallerClients


def test_who_signed_in_with_aws_login_is_told_to_do_so_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    error = TableError("gates", "get_item", "LoginRefreshRequired")
    error.__cause__ = LoginRefreshRequired()

    sentence = advice(error, CallerClients(Countdown()))

    assert sentence == "You are not signed in, or not any more. Run: aws login"


def test_what_is_none_of_aws_is_left_to_speak_for_itself() -> None:
    assert advice(GreenlightError("no"), CallerClients(Countdown())) is None
