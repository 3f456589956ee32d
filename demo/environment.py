"""The environment of the demo: its own, whatever the one says that it was started in."""

import os
import re

# What AWS's libraries, Powertools and moto listen to, and the functions' settings. MESSAGE_LANGUAGE
# is not among them: the README names it.
FOREIGN = re.compile(
    "(AWS|LAMBDA|MOTO|POWERTOOLS)_.*|_X_AMZN_TRACE_ID|LOG_LEVEL"
    "|APPROVERS|DYNAMODB_TABLE_NAME|GATE_TTL_DAYS|TEST_URL"
    "|SLACK_.*|SCHEDULE_.*|CLOCK_FUNCTION_ARN|EVENT_BUS_NAME"
    "|DECIDE_WITHIN_MINUTES|REMIND_MINUTES_BEFORE|ECS_SERVICES|PAUSE_FAILURE"
)


def make_own() -> None:
    """Drops what would lead elsewhere; for before the imports, since some read it then."""
    for name in filter(FOREIGN.fullmatch, list(os.environ)):
        del os.environ[name]
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        os.environ[name] = os.devnull  # not those in the home folder
