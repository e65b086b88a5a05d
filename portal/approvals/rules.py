"""The words of approvals: policies and rules, routes and steps, answers and outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum, unique
from typing import Final, Literal

from portal.approvals.facts import Basis, Facts
from portal.approvals.people import Member
from portal.errors import N_


@unique
class Ask(StrEnum):
    """How a step names its approvers."""

    PERSONS = "persons"
    ROLE = "role"
    COST_CENTRE_OWNER = "cost_centre_owner"
    MANAGER = "manager"


Quorum = Literal["any", "all"] | int


@dataclass(frozen=True, slots=True)
class Approvers:
    """Whom a step asks: named persons, the holders of a role, cost centre owners or the manager."""

    ask: Ask
    emails: tuple[str, ...] = ()
    role: str = ""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step as the policy states it, before anybody is named."""

    level: int
    approvers: Approvers
    quorum: Quorum = "any"


@dataclass(frozen=True, slots=True)
class RequesterTotal:
    """An amount that the requester's submissions of some days may reach."""

    amount: Decimal
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """The conditions of a rule; all that are set must hold, none set always holds."""

    total_over: Decimal | None = None
    total_up_to: Decimal | None = None
    category_under: str | None = None
    off_contract: bool = False
    discount_over_percent: Decimal | None = None
    cost_centres: tuple[str, ...] = ()
    requester_roles: tuple[str, ...] = ()
    ship_to_countries: tuple[str, ...] = ()
    requester_total_over: RequesterTotal | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A numbered rule: when it holds, its steps are required."""

    number: int
    name: str
    when: When
    steps: tuple[PlannedStep, ...]
    distinct: bool = False
    """Whether only an approval given for the rule's own steps counts in them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What needs whose approval in an account, or in one of its units."""

    account_code: str
    unit_code: str | None = None
    basis: Basis = Basis.NET
    signing_required: bool = True
    rules: tuple[Rule, ...] = ()
    reminder_hours: int | None = None
    escalation_hours: int | None = None
    keep_unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """One condition with the figure that was compared; the approver always sees both."""

    condition: str
    figure: str
    bound: str
    holds: bool


@unique
class Cause(StrEnum):
    """Why a step is there."""

    RULE = "rule"
    NO_POLICY = "no-policy"
    SIGNING_LIMIT = "signing-limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a step is there, in figures; `portal.approvals.words` makes the sentence.

    ``replaced`` names the requesters who were taken out and whose managers, or the site
    administrators, answer instead; ``below`` whom a signing limit sends upwards.
    """

    cause: Cause
    rule_number: int | None = None
    rule_name: str = ""
    comparisons: tuple[Comparison, ...] = ()
    ask: Ask | None = None
    role: str = ""
    replaced: tuple[str, ...] = ()
    below: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step with its people; ``quorum`` is the number of different people it needs."""

    level: int
    rule_numbers: tuple[int, ...]
    approvers: tuple[Member, ...]
    quorum: int
    reasons: tuple[Reason, ...]
    distinct: bool = False

    @property
    def person_ids(self) -> frozenset[int]:
        """Who is named."""
        return frozenset(member.person_id for member in self.approvers)


@unique
class Needs(StrEnum):
    """What a dead end lacks."""

    ROLE = "role"
    PERSON = "person"
    LIMIT = "limit"
    NUMBER = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What is missing so that a step could ever be finished."""

    level: int
    rule_numbers: tuple[int, ...]
    needs: Needs
    role: str = ""
    wanted: int = 0
    found: int = 0


@dataclass(frozen=True, slots=True)
class NextThreshold:
    """How far the total is from the next rule that only its ``total_over`` still keeps away."""

    rule_number: int
    amount: Decimal


@unique
class RouteOutcome(StrEnum):
    """What a submission would lead to."""

    STEPS = "steps"
    AUTO_APPROVED = "auto-approved"
    DEAD_END = "dead-end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The whole way to an approval, or why there is none."""

    outcome: RouteOutcome
    total: Decimal
    currency: str
    signing_required: bool
    steps: tuple[Step, ...] = ()
    missing: tuple[Missing, ...] = ()
    next_threshold: NextThreshold | None = None
    comparisons: tuple[tuple[int, tuple[Comparison, ...]], ...] = ()
    """What every rule of the policy compared, by rule number: also of those that do not hold."""


@unique
class Answer(StrEnum):
    """What an approver can say."""

    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_CHANGES = "request-changes"


@unique
class RunState(StrEnum):
    """Where a run is."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    CHANGES_REQUESTED = "changes requested"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"

    @property
    def label(self) -> str:
        """The state's word, marked for translation."""
        return RUN_LABELS[self]


class Outcome(StrEnum):
    """How a run ended by what people decided; told to the subject."""

    APPROVED = "approved"
    REJECTED = "rejected"
    CHANGES_REQUESTED = "changes requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectLine:
    """One line as approvers read it; ``change`` says what the last revision had."""

    name: str
    sku: str
    quantity: str
    amount: Decimal
    detail: str = ""
    change: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A frozen plain summary of what is to be approved: a revision of a quote, for example.

    ``title`` is what its people call it, ``href`` where it can be read in full, ``facts`` what the
    rules judge, ``content_hash`` what an approval is bound to; nobody decides from ``expires_at``
    on.
    """

    kind: str
    id: int
    number: str
    revision: int
    account_id: int
    unit_id: int | None
    submitted_by: int
    requester_person_ids: frozenset[int]
    title: str
    currency: str
    net_total: Decimal
    gross_total: Decimal | None
    facts: Facts
    content_hash: str
    requester_name: str = ""
    lines: tuple[SubjectLine, ...] = ()
    changes: tuple[str, ...] = ()
    valid_until: str = ""
    expires_at: datetime | None = None
    freight: Decimal | None = None
    tax: Decimal | None = None
    ship_to: str = ""
    cost_centres: str = ""
    note: str = ""
    href: str = ""
    pdf_href: str = ""


RUN_LABELS: Final[Mapping[RunState, str]] = {
    RunState.OPEN: N_("in approval"),
    RunState.APPROVED: N_("approved"),
    RunState.REJECTED: N_("rejected"),
    RunState.CHANGES_REQUESTED: N_("changes requested"),
    RunState.WITHDRAWN: N_("withdrawn"),
    RunState.EXPIRED: N_("expired"),
}

ANSWER_LABELS: Final[Mapping[Answer, str]] = {
    Answer.APPROVE: N_("approved"),
    Answer.REJECT: N_("rejected"),
    Answer.REQUEST_CHANGES: N_("requested changes"),
}

LABELS: Final[Mapping[str, str]] = {
    "approval.requested": N_("Approval requested"),
    "approval.not-needed": N_("Approved by the policy itself: no rule holds"),
    "approval.approved": N_("Approved"),
    "approval.rejected": N_("Rejected"),
    "approval.changes-requested": N_("Changes requested"),
    "approval.step-opened": N_("Next approvers asked"),
    "approval.step-reassigned": N_("Step reassigned"),
    "approval.level-added": N_("Level added: nobody named so far may sign for the total any more"),
    "approval.finished": N_("All approvals given"),
    "approval.withdrawn": N_("Approval withdrawn"),
    "approval.expired": N_("Approval expired"),
    "policy.saved": N_("Approval policy saved"),
}
