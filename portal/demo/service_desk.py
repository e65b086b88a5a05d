"""The demo's service desk: its teams and rules, and what customers asked it lately."""

import struct
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from portal.accounts.queries import load_operator
from portal.db import db
from portal.demo.cast import Cast
from portal.policy import Actor
from portal.service.assets.models import Asset
from portal.service.assets.queries import visible_to
from portal.service.cases.actions import Attachment, NewCase, Then, add_note, open_case, reply
from portal.service.cases.ending import close_case, rate_case
from portal.service.cases.models import Case
from portal.service.cases.queries import get_case
from portal.service.cases.rules import (
    CaseKind,
    Cause,
    Channel,
    ComplaintCategory,
    Priority,
    Severity,
)
from portal.service.cases.setup import (
    NEW,
    PhraseFacts,
    RuleFacts,
    TeamFacts,
    save_phrase,
    save_rule,
    save_team,
)
from portal.service.cases.working import Assessment, assess_complaint, merge_case, take_case

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
K: Final = CaseKind


def set_up_service_desk(now: datetime) -> None:
    """Make the teams, what routes to them, and a few canned answers."""
    operator = load_operator("demo", "UTC")
    agent = Cast.supplier.service_agent.membership_id
    manager = Cast.supplier.account_manager.membership_id
    members = [agent] if agent else []
    for code, name, calendar, phone in (
        ("HARDWARE", "Hardware and repairs", "EUROPE", "+49 30 901820"),
        ("CARE", "Customer care", "EUROPE", "+49 30 901821"),
        ("ASIA", "Service Asia", "KOREA", "+82 2 2133 0901"),
    ):
        team = TeamFacts(
            code=code,
            name=name,
            alarm_email=f"alarm-{code.lower()}@northwind.example",
            alarm_phone=phone,
            manager_id=manager,
            calendar_code=calendar,
            member_ids=members,
        )
        save_team(operator, None, NEW, team, now=now)
    for rule in (
        RuleFacts(number=10, team_code="ASIA", account_code="HANBIT"),
        RuleFacts(number=20, team_code="CARE", kind=K.COMPLAINT, priority=Priority.HIGH),
        RuleFacts(number=30, team_code="HARDWARE", kind=K.REPAIR),
        RuleFacts(number=40, team_code="HARDWARE", category_path="Hardware"),
        RuleFacts(number=90, team_code="CARE"),
    ):
        save_rule(operator, None, NEW, rule, now=now)
    for phrase in (
        PhraseFacts(name="Ask for the service tag", body=ASK_FOR_TAG),
        PhraseFacts(name="Ask for a photo", body=ASK_FOR_PHOTO),
        PhraseFacts(name="Good bye", body=GOOD_BYE, locale="en"),
        PhraseFacts(name="마무리 인사", body=GOOD_BYE_KO, locale="ko"),
    ):
        save_phrase(operator, None, NEW, phrase, now=now)


ASK_FOR_TAG: Final = (
    "To look this up we need the service tag. It stands on the label at the bottom of the unit, "
    "for example NB-7781.\n\n{agent}"
)
ASK_FOR_PHOTO: Final = (
    "A photo would help us to bring the right part: the whole unit, and the damage from near by."
    "\n\n{agent}"
)
GOOD_BYE: Final = "If anything is left, answer this message; {number} then opens again.\n\n{agent}"
GOOD_BYE_KO: Final = (
    "추가로 필요하신 사항은 이 메시지에 답장해 주시기 바랍니다. ({number})\n\n{agent}"
)


def tell_cases(now: datetime) -> None:
    """Let both customers ask, complain and send things in for a fortnight."""
    _answered_question(now)
    _repair(now)
    _complaint(now)
    _calls_and_returns(now)
    _hanbit(now)


def _ask(  # noqa: PLR0913 - what a case says, all named at the call
    actor: Actor,
    kind: CaseKind,
    subject: str,
    text: str,
    at: datetime,
    *,
    asset: Asset | None = None,
    photos: Sequence[Attachment] = (),
    channel: Channel = Channel.PORTAL,
    requester: Actor | None = None,
    priority: Priority = Priority.NORMAL,
) -> Case:
    said = NewCase(
        kind=kind,
        subject=subject,
        text=text,
        asset_tag=asset.service_tag if asset else "",
        channel=channel,
        priority=priority,
        requester_id=requester.membership_id if requester else None,
    )
    return open_case(actor, said, photos, now=at)


def _answered_question(now: datetime) -> None:
    acme, agent = Cast.acme, Cast.supplier.service_agent
    case = _ask(
        acme.buyer, K.QUESTION, "Two monitors on one dock",
        "Can the dock drive two monitors at 60 Hz, or do we need an adapter?", now - 12 * DAY,
    )  # fmt: skip
    reply(
        agent, case.number,
        "Yes: one on DisplayPort, one on HDMI. No adapter is needed.",
        now=now - 12 * DAY + 3 * HOUR, then=Then.RESOLVE,
    )  # fmt: skip
    close_case(acme.buyer, case.number, now=now - 11 * DAY)
    rate_case(acme.buyer, case.number, 5, "Answered before lunch.", now=now - 11 * DAY + HOUR)


def _repair(now: datetime) -> None:
    acme, agent = Cast.acme, Cast.supplier.service_agent
    case = _ask(
        acme.buyer, K.REPAIR, "Left hinge is loose",
        "The display falls back by itself. Nothing was dropped.", now - 3 * DAY,
        asset=_asset(acme.buyer), photos=[Attachment("hinge.png", photo((178, 92, 64)))],
    )  # fmt: skip
    take_case(agent, case.number, now=now - 3 * DAY + HOUR)
    add_note(agent, case.number, "Third loose hinge of this series.", now=now - 3 * DAY + HOUR)
    reply(
        agent, case.number, "May the unit be away for two days, or do you need it replaced first?",
        now=now - 2 * DAY, then=Then.ASK,
    )  # fmt: skip
    reply(acme.buyer, case.number, "Two days are fine.", now=now - DAY)


def _complaint(now: datetime) -> None:
    acme, agent = Cast.acme, Cast.supplier.service_agent
    case = _ask(
        acme.site_buyer, K.COMPLAINT, "Pallet arrived with crushed boxes",
        "Four boxes of the last delivery were open. The monitors inside look all right.",
        now - 6 * DAY,
    )  # fmt: skip
    reply(
        agent, case.number,
        "We are sorry. The carrier was told; we check the four units with you on Thursday.",
        now=now - 6 * DAY + 2 * HOUR,
    )  # fmt: skip
    assess_complaint(
        agent,
        case.number,
        get_case(agent, case.number).version,
        Assessment(
            category=ComplaintCategory.DELIVERY,
            severity=Severity.MAJOR,
            cause=Cause.CARRIER,
            measure="Edge protection on every pallet of this carrier.",
            follow_up_on=(now - DAY).date(),
        ),
        now=now - 5 * DAY,
    )


def _calls_and_returns(now: datetime) -> None:
    acme, agent = Cast.acme, Cast.supplier.service_agent
    _ask(
        agent, K.QUESTION, "Which memory fits the older laptops",
        "Called from the help desk: 16 GB modules for the laptops of 2023, how many slots?",
        now - 5 * DAY, channel=Channel.CALL, requester=acme.service_contact,
        priority=Priority.HIGH,
    )  # fmt: skip
    _ask(
        acme.shopper, K.RETURN, "Headset ordered twice",
        "One of the two is still sealed. Can it go back?", now - 4 * HOUR,
    )  # fmt: skip
    first = _ask(
        acme.research_buyer, K.QUESTION, "Fan of the test bench server is loud",
        "It was replaced in spring. Is that the same model?", now - 2 * DAY,
    )  # fmt: skip
    again = _ask(
        acme.research_buyer, K.QUESTION, "Loud fan, once more",
        "Sent twice by mistake, sorry.", now - 2 * DAY + HOUR,
    )  # fmt: skip
    merge_case(agent, again.number, first.number, now=now - 2 * DAY + 2 * HOUR)


def _hanbit(now: datetime) -> None:
    hanbit, agent = Cast.hanbit, Cast.supplier.service_agent
    case = _ask(
        hanbit.buyer, K.REPAIR, "전원이 켜지지 않습니다",
        "충전 표시등은 켜지지만 부팅이 되지 않습니다.", now - 30 * HOUR,
        asset=_asset(hanbit.buyer), photos=[Attachment("전원.png", photo((64, 110, 168)))],
    )  # fmt: skip
    reply(agent, case.number, "확인 중입니다. 오늘 중으로 답변드리겠습니다.", now=now - 26 * HOUR)
    _ask(
        hanbit.fab_buyer, K.QUESTION, "생산 라인 모니터의 보증 기간",
        "보증 기간을 연장할 수 있는지 알고 싶습니다.", now - 2 * HOUR,
    )  # fmt: skip


def _asset(actor: Actor) -> Asset | None:
    """Return the first unit that the actor may ask about."""
    return db.session.scalar(visible_to(actor).order_by(Asset.tag_key).limit(1))


def photo(colour: tuple[int, int, int], width: int = 160, height: int = 120) -> bytes:
    """Return a small PNG that stands for what somebody photographed."""
    rows = b"".join(
        b"\0"
        + b"".join(
            bytes(colour if (x // 20 + y // 20) % 2 else (232, 234, 238)) for x in range(width)
        )
        for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
