"""Tables of approvals: policies in versions, runs with their steps and people, decisions, links."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Membership
from portal.approvals.policy_file import read_policy
from portal.approvals.rules import Answer, Policy, RunState
from portal.db import ACCOUNT_SCOPED, Amount, Base, Id, exempt

_MEMBERSHIP = ["membership.account_id", "membership.id"]
_RUN = ["approval_run.account_id", "approval_run.id"]


class ApprovalPolicy(Base):
    """One dated version of the policy of an account, or of one of its units; never changed."""

    __tablename__ = "approval_policy"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        UniqueConstraint("account_id", "unit_key", "version"),
        ForeignKeyConstraint(["account_id", "unit_id"], ["unit.account_id", "unit.id"]),
        CheckConstraint("unit_key = coalesce(unit_id, 0)", name="unit_key"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    unit_id: Mapped[int | None]
    unit_key: Mapped[int] = mapped_column(default=0)
    """The unit's id or 0, since a database lets several NULLs pass a unique constraint."""
    version: Mapped[int]
    valid_from: Mapped[datetime]
    document: Mapped[dict[str, Any]]
    saved_by_person_id: Mapped[int | None]

    @property
    def policy(self) -> Policy:
        """The policy as rules judge by it."""
        return read_policy(self.document)


class ApprovalRun(Base):
    """One pass of one revision through the approval policy, with everything it was judged by."""

    __tablename__ = "approval_run"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        UniqueConstraint("kind", "subject_id"),
        ForeignKeyConstraint(["account_id", "unit_id"], ["unit.account_id", "unit.id"]),
        ForeignKeyConstraint(
            ["account_id", "policy_id"], ["approval_policy.account_id", "approval_policy.id"]
        ),
        ForeignKeyConstraint(["account_id", "requester_id"], _MEMBERSHIP),
        CheckConstraint(
            "state in (" + ", ".join(f"'{state.value}'" for state in RunState) + ")",
            name="state",
        ),
        Index("ix_approval_run_number", "account_id", "kind", "number"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    unit_id: Mapped[int | None]
    kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int]
    number: Mapped[str] = mapped_column(String(80))
    revision: Mapped[int]
    policy_id: Mapped[int | None]
    requester_id: Mapped[int]
    requester_person_ids: Mapped[list[Any]]
    title: Mapped[str] = mapped_column(String(300))
    total: Mapped[Amount]
    currency: Mapped[str] = mapped_column(String(3))
    signing_required: Mapped[bool]
    content_hash: Mapped[str] = mapped_column(String(64))
    route: Mapped[dict[str, Any]]
    summary: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(20), default=RunState.OPEN.value)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    steps: Mapped[list["ApprovalStep"]] = relationship(
        lazy="raise_on_sql", order_by="ApprovalStep.position", viewonly=True
    )
    decisions: Mapped[list["Decision"]] = relationship(
        lazy="raise_on_sql", order_by="Decision.id", viewonly=True
    )

    @property
    def is_open(self) -> bool:
        """Whether somebody can still decide."""
        return self.state == RunState.OPEN


class ApprovalStep(Base):
    """One step of a run; ``quorum`` is the number of different people it needs."""

    __tablename__ = "approval_step"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        UniqueConstraint("run_id", "position"),
        ForeignKeyConstraint(["account_id", "run_id"], _RUN, ondelete="CASCADE"),
        CheckConstraint("quorum > 0", name="quorum_positive"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    run_id: Mapped[int]
    position: Mapped[int]
    level: Mapped[int]
    quorum: Mapped[int]
    is_distinct: Mapped[bool] = mapped_column(default=False)
    rule_numbers: Mapped[list[Any]]
    reasons: Mapped[list[Any]]
    opened_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    approvers: Mapped[list["StepApprover"]] = relationship(
        lazy="raise_on_sql", order_by="StepApprover.id", viewonly=True
    )


class StepApprover(Base):
    """A membership that a step names; ``is_waiting`` while the step waits for its answer."""

    __tablename__ = "step_approver"
    __table_args__ = (
        UniqueConstraint("step_id", "person_id"),
        ForeignKeyConstraint(
            ["account_id", "step_id"],
            ["approval_step.account_id", "approval_step.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(["account_id", "run_id"], _RUN, ondelete="CASCADE"),
        ForeignKeyConstraint(["account_id", "membership_id"], _MEMBERSHIP),
        Index("ix_step_approver_inbox", "membership_id", "is_waiting"),
        Index("ix_step_approver_run", "run_id"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    run_id: Mapped[int]
    step_id: Mapped[int]
    membership_id: Mapped[int]
    person_id: Mapped[int]
    signs: Mapped[bool] = mapped_column(default=False)
    is_waiting: Mapped[bool] = mapped_column(default=False)
    asked_at: Mapped[datetime | None]

    membership: Mapped[Membership] = relationship(
        lazy="raise_on_sql",
        viewonly=True,
        primaryjoin="foreign(StepApprover.membership_id) == Membership.id",
    )


class Decision(Base):
    """What one person said in one step about exactly one content; the first answer stays."""

    __tablename__ = "decision"
    __table_args__ = (
        UniqueConstraint("step_id", "person_id"),
        ForeignKeyConstraint(["account_id", "run_id"], _RUN),
        ForeignKeyConstraint(
            ["account_id", "step_id"], ["approval_step.account_id", "approval_step.id"]
        ),
        ForeignKeyConstraint(["account_id", "membership_id"], _MEMBERSHIP),
        CheckConstraint(
            "answer in (" + ", ".join(f"'{answer.value}'" for answer in Answer) + ")",
            name="answer",
        ),
        Index("ix_decision_run", "run_id"),
        Index("ix_decision_membership", "membership_id"),
        ACCOUNT_SCOPED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    run_id: Mapped[int]
    step_id: Mapped[int]
    membership_id: Mapped[int]
    person_id: Mapped[int]
    answer: Mapped[str] = mapped_column(String(20))
    comment: Mapped[str] = mapped_column(Text, default="")
    content_hash: Mapped[str] = mapped_column(String(64))
    signs: Mapped[bool]
    """Whether the person's limit covered the total at the moment of the answer."""
    kept_from_id: Mapped[int | None]
    """The decision on an earlier revision that the policy lets stand for this one."""
    decided_at: Mapped[datetime]


class ApprovalLink(Base):
    """The link in an approver's mail: a hashed token that leads one membership to one run."""

    __tablename__ = "approval_link"
    __table_args__ = (
        exempt("found by the hash of a secret token; shows nothing but to the person it names"),
    )

    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("approval_run.id", ondelete="CASCADE"))
    person_id: Mapped[int]
    membership_id: Mapped[int]
    created_at: Mapped[datetime]
