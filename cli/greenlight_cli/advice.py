"""What to type, where AWS does not do what the command asks of it."""

from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    ConnectTimeoutError,
    EndpointConnectionError,
    LoginError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from greenlight.model.errors import DecisionMootError, HookUnknownError
from greenlight_cli.caller import CallerClients

_EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException"})
_NOT_TAKEN: Final = frozenset(
    {
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_NOT_THERE: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "ResourceNotFoundException"}
)


def advice(error: BaseException, clients: CallerClients) -> str | None:
    """What can be done about an error that came from AWS; None where that is not known."""
    sentence: str | None = None
    if isinstance(error, HookUnknownError) or (
        isinstance(error, DecisionMootError) and error.is_unknown
    ):
        return _if_elsewhere(clients)
    region, profile = clients.region_option, clients.profile_option
    match cause := _of_aws(error):
        case SSOError() | TokenRetrievalError():
            sentence = f"You are not signed in, or not any more. Run: {clients.aws('sso login')}"
        case LoginError():
            sentence = f"You are not signed in, or not any more. Run: {clients.aws('login')}"
        case NoCredentialsError():
            sentence = f"Run: {clients.aws('configure sso')} (or name a profile with {profile})"
        case ProfileNotFound():
            sentence = "See which there are. Run: aws configure list-profiles"
        case ConfigParseError():
            sentence = "Mend that file, or set AWS_CONFIG_FILE to another"
        case NoRegionError():
            sentence = f"Name one with {region}"
        case EndpointConnectionError() | ConnectTimeoutError():
            sentence = f"Is there a network, and is {clients.region} the region ({region})?"
        case ClientError():
            sentence = _about_answer(cause.response["Error"]["Code"], clients)
    return sentence


def _about_answer(code: str, clients: CallerClients) -> str | None:
    """What can be done about an error code that a service of AWS's answered with."""
    sentence: str | None = None
    if code in _EXPIRED and clients.credentials_are_in_the_environment:
        sentence = (
            "The credentials in the environment have expired: set new ones, or unset "
            "AWS_ACCESS_KEY_ID to use a profile's"
        )
    elif code in _EXPIRED:
        sentence = f"The credentials have expired. Get new ones, say by: {clients.aws('sso login')}"
    elif code in _NOT_TAKEN:
        sentence = (
            "AWS does not take these credentials: see that they are whole and that the clock is "
            f"right. Run: {clients.aws('sts get-caller-identity')}"
        )
    elif code in _NOT_THERE:
        sentence = _if_elsewhere(clients)
    return sentence


def _if_elsewhere(clients: CallerClients) -> str:
    return (
        f"You asked {clients.whom()}. If it is elsewhere, say so with "
        f"{clients.region_option} or {clients.profile_option}"
    )


def _of_aws(error: BaseException | None) -> BaseException | None:
    """The error of AWS's that is behind an error."""
    while error and not isinstance(error, (BotoCoreError, ClientError)):
        error = error.__cause__
    return error
