"""One winner: clicks at the same moment, and clicks whose process is killed in the middle."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from stand_ins.aws import AwsStandIn
from stand_ins.clicks import ALICE, BOB, form, payload, signed, url_event
from stand_ins.slack import SlackStandIn
from tests.functional.conftest import Clicker, Process, kill_in_the_middle
from tests.functional.helpers import HOOK, REPORT, events, gate, is_notice, whole

pytestmark = pytest.mark.unmeasured

CLICKS = 200
# The concurrency of the function; one moto, in the same process, serves as many in time.
AT_A_TIME = 10
DECISION = "greenlight.handlers.decision"
STATUSES = {"approve": "APPROVED", "reject": "REJECTED"}
REPORTS = {"APPROVED": "Succeeded", "REJECTED": "Failed"}


def test_two_hundred_clicks_at_once_have_one_winner(
    click: Clicker, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    def press(number: int) -> dict[str, Any]:
        verdict = "approve" if number % 2 else "reject"
        url = f"{slack.base_url}/actions/T0000/click-{number}"
        body = form(payload(click.message, f"greenlight_{verdict}", url, user(number)))
        event = url_event(body, signed(body))
        all_ready.wait()
        with door:
            return click.call(event)

    all_ready = threading.Barrier(CLICKS)
    door = threading.BoundedSemaphore(AT_A_TIME)
    with ThreadPoolExecutor(max_workers=CLICKS) as threads:
        answers = list(threads.map(press, range(CLICKS)))

    assert [answer["statusCode"] for answer in answers] == [200] * CLICKS
    item = gate(aws)
    assert aws.reports == {HOOK: REPORTS[item["status"]]}
    assert aws.operations.count(REPORT) == 1
    assert events(aws) == ["opened", "notified", "decided", "reported"]
    winner = next(n for n in range(CLICKS) if user(n)[0] == item["decided_by"])
    assert item["status"] == ("APPROVED" if winner % 2 else "REJECTED")
    for number in range(CLICKS):
        said = [message for path, message in slack.posts if path.endswith(f"/click-{number}")]
        assert said, "everybody is answered"
        assert all(f"<@{item['decided_by']}>" in whole(message) for message in said)
        assert any(map(is_notice, said)) is (number != winner)


def user(number: int) -> tuple[str, str]:
    return f"U0{number:04}", f"user-{number}"


# Where a click can be cut short: the call it is in the middle of, the how manyth of its kind, and
# whether the call has had its effect; then, whose decision it is in the end.
CUTS = [
    ("UpdateItem", 1, "before", BOB),
    ("UpdateItem", 1, "after", ALICE),
    (REPORT, 1, "before", ALICE),
    (REPORT, 1, "after", ALICE),
    ("UpdateItem", 2, "before", ALICE),
    ("UpdateItem", 2, "after", ALICE),
    ("Slack", 1, "after", ALICE),
]


@pytest.mark.parametrize("verdict", ["approve", "reject"])
@pytest.mark.parametrize(("call", "number", "moment", "winner"), CUTS)
def test_a_click_that_is_killed_is_finished_by_the_next_and_the_first_name_stays(
    call: str,
    number: int,
    moment: str,
    winner: tuple[str, str],
    verdict: str,
    click: Clicker,
    environ: dict[str, str],
    aws: AwsStandIn,
    slack: SlackStandIn,
) -> None:
    first = click.event(verdict)
    kill_in_the_middle(
        lambda: Process(first, environ, module=DECISION), aws, slack, call, number, moment
    )

    _, written = Process(click.event(verdict, BOB, "next"), environ, 16, DECISION).finish()

    assert '"level":"ERROR"' not in written
    item = gate(aws)
    status = STATUSES[verdict]
    assert (item["status"], item["decided_by"]) == (status, winner[0])
    assert item["decided_via"] == "slack"
    assert item["reported_at"]
    assert aws.reports == {HOOK: REPORTS[status]}
    assert events(aws) == ["opened", "notified", "decided", "reported"]
    replaced = next(one for one in slack.responses[::-1] if one.get("replace_original"))
    assert f"<@{winner[0]}>" in whole(replaced)


@pytest.mark.parametrize("second", ["approve", "reject"])
def test_a_killed_click_is_left_alone_while_it_may_still_be_at_work(
    second: str, click: Clicker, environ: dict[str, str], aws: AwsStandIn, slack: SlackStandIn
) -> None:
    first = click.event("approve")
    kill_in_the_middle(
        lambda: Process(first, environ, module=DECISION), aws, slack, REPORT, moment="before"
    )

    (notice,) = click(second, BOB)

    assert is_notice(notice)
    assert "*승인* 버튼을 다시 눌러" in whole(notice)
    assert aws.reports == {}
