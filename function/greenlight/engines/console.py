"""Where the AWS console is."""

from typing import Final

_CONSOLES: Final = {
    "cn-": "console.amazonaws.cn",
    "us-gov-": "console.amazonaws-us-gov.com",
    "": "console.aws.amazon.com",
}


def console(region: str) -> str:
    """The host of the AWS console in a region."""
    domain = next(name for start, name in _CONSOLES.items() if region.startswith(start))
    return f"{region}.{domain}"
