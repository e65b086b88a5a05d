"""Where a run is: which steps are open after some answers, and whether it is over. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.approvals.rules import Answer, Outcome


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step of a running route; ``signers`` are those of its people whose limit covers."""

    level: int
    people: frozenset[int]
    quorum: int
    signers: frozenset[int] = frozenset()
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Vote:
    """An answer given in one step, named by its position.

    ``signs`` says that the person's limit covered the total when they answered.
    """

    step: int
    person_id: int
    answer: Answer
    signs: bool = True


@dataclass(frozen=True, slots=True)
class Progress:
    """What the answers so far amount to.

    Attributes:
        outcome: How the run ended, ``None`` while it is open.
        counted: For each step who has approved it, here or by an approval that counts here too.
        open_steps: Positions of the steps that wait for somebody now.
        waiting: For each open step who may still answer in it.
    """

    outcome: Outcome | None
    counted: tuple[frozenset[int], ...]
    open_steps: tuple[int, ...]
    waiting: tuple[frozenset[int], ...]

    @property
    def is_stuck(self) -> bool:
        """Whether everybody has answered and still nobody whose limit covers has signed."""
        return self.outcome is None and not self.open_steps

    def step_for(self, person_id: int) -> int | None:
        """Return the first open step in which this person can answer."""
        for position, people in zip(self.open_steps, self.waiting, strict=True):
            if person_id in people:
                return position
        return None


def progress(steps: Sequence[StepPlan], votes: Sequence[Vote], *, signing: bool) -> Progress:
    """Return where a run is.

    An approval counts in every open or later step that names the person, unless that step is
    distinct: then only what was said in it counts. Levels open one after the other. With
    ``signing`` the highest level is done only when somebody whose limit covers has approved on it.
    """
    counted = tuple(_counted(position, step, steps, votes) for position, step in enumerate(steps))
    ended = _ended(votes)
    if ended is not None:
        return Progress(ended, counted, (), ())
    highest = max((step.level for step in steps), default=0)
    for level in sorted({step.level for step in steps}):
        unsigned = signing and level == highest and not _signed(level, steps, votes, counted)
        positions = [index for index, step in enumerate(steps) if step.level == level]
        waiting = {
            index: _waiting(steps[index], counted[index], unsigned=unsigned) for index in positions
        }
        still_open = tuple(index for index in positions if waiting[index])
        if still_open or unsigned:
            return Progress(
                None, counted, still_open, tuple(waiting[index] for index in still_open)
            )
    return Progress(Outcome.APPROVED, counted, (), ())


def _counted(
    position: int, step: StepPlan, steps: Sequence[StepPlan], votes: Sequence[Vote]
) -> frozenset[int]:
    return frozenset(
        vote.person_id
        for vote in votes
        if vote.answer is Answer.APPROVE
        and vote.person_id in step.people
        and (vote.step == position or (not step.distinct and steps[vote.step].level <= step.level))
    )


def _ended(votes: Sequence[Vote]) -> Outcome | None:
    """Return the end that one rejection or request for changes makes; the first counts."""
    for vote in votes:
        if vote.answer is Answer.REJECT:
            return Outcome.REJECTED
        if vote.answer is Answer.REQUEST_CHANGES:
            return Outcome.CHANGES_REQUESTED
    return None


def _signed(
    level: int,
    steps: Sequence[StepPlan],
    votes: Sequence[Vote],
    counted: Sequence[frozenset[int]],
) -> bool:
    able = {vote.person_id for vote in votes if vote.signs}
    return any(
        step.signers & people & able
        for step, people in zip(steps, counted, strict=True)
        if step.level == level
    )


def _waiting(step: StepPlan, counted: frozenset[int], *, unsigned: bool) -> frozenset[int]:
    """Return who may still answer: anybody left of an unmet quorum, a signer of a met one."""
    if len(counted) < step.quorum:
        return step.people - counted
    return step.signers - counted if unsigned else frozenset()
