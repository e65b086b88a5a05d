"""What may be typed about a case, and about the service's own set-up."""

from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import MultipleFileField

from portal.service.cases.attaching import ACCEPT, MOST_BYTES, Attachment
from portal.service.cases.rules import (
    CaseKind,
    Cause,
    Channel,
    ComplaintCategory,
    Priority,
    Severity,
)
from portal.web.forms import (
    CheckField,
    CheckListField,
    ChoiceField,
    CodeField,
    DateField,
    EmailField,
    Form,
    HiddenField,
    NumberField,
    RadioChoiceField,
    TextArea,
    TextField,
)

LONGEST_MESSAGE = 20_000
EMPTY: list[tuple[str, str]] = []


def words_of(kind: Any, first: str | None = None) -> list[tuple[str, str]]:  # noqa: ANN401 - an enum
    """Return the words of an enum, or of some of its members, to choose from in their order."""
    chosen = [] if first is None else [("", first)]
    return chosen + [(item.value, _capital(_(item.label))) for item in kind]


def _capital(text: str) -> str:
    """Return a word as it stands alone: with a capital, where its script has any."""
    return text[:1].upper() + text[1:]


class FilesField(MultipleFileField):
    """Any number of files to attach; how many and which, the action decides."""

    def __init__(self, label: Any = None, **options: Any) -> None:  # noqa: ANN401 - lazy texts
        options.setdefault("render_kw", {"accept": ACCEPT, "multiple": True})
        super().__init__(label, **options)

    @property
    def attachments(self) -> list[Attachment]:
        """The files that were sent, each read no further than what may be taken."""
        chosen = [file for file in self.data or [] if getattr(file, "filename", "")]
        return [Attachment(file.filename or "", file.read(MOST_BYTES + 1)) for file in chosen]


class NewCaseForm(Form):
    key = HiddenField()
    requester = TextField(_l("Customer: name, e-mail or account"), required=False)
    requester_id = ChoiceField(_l("Person"), required=False, validate_choice=False)
    channel = RadioChoiceField(_l("How it came"), validate_choice=False)
    kind = RadioChoiceField(_l("What it is"))
    about = CodeField(_l("Serial, order or product"), required=False)
    subject = TextField(_l("Subject"))
    text = TextArea(_l("What happened"), required=True, max_length=LONGEST_MESSAGE)
    priority = ChoiceField(_l("Priority"), required=False)
    files = FilesField(_l("Photos and files"))

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on
        super().__init__(*args, **options)
        self.kind.choices = words_of(CaseKind)
        self.priority.choices = words_of(Priority)
        self.channel.choices = words_of((Channel.CALL, Channel.EMAIL))
        self.requester_id.choices = EMPTY


class ReplyForm(Form):
    key = HiddenField()
    article = HiddenField()
    text = TextArea(_l("Message"), required=False, max_length=LONGEST_MESSAGE)
    files = FilesField(_l("Photos and files"))
    phrase = ChoiceField(_l("Insert"), required=False, validate_choice=False)

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on
        super().__init__(*args, **options)
        self.phrase.choices = EMPTY


class NoteForm(Form):
    key = HiddenField()
    note = TextArea(_l("Internal note"), required=True, max_length=LONGEST_MESSAGE)
    note_files = FilesField(_l("Files of the note"))


class AssignForm(Form):
    assignee = ChoiceField(_l("Agent"), required=False, validate_choice=False)


class TransferForm(Form):
    team = ChoiceField(_l("Team"), validate_choice=False)


class MergeForm(Form):
    target = CodeField(_l("Case that goes on"), max_length=20)


class ChangeForm(Form):
    version = HiddenField()
    kind = ChoiceField(_l("Kind"))
    priority = ChoiceField(_l("Priority"))
    about = CodeField(_l("Serial, order or product"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on
        super().__init__(*args, **options)
        self.kind.choices = words_of(CaseKind)
        self.priority.choices = words_of(Priority)


class ComplaintForm(Form):
    version = HiddenField()
    category = ChoiceField(_l("What went wrong"))
    severity = ChoiceField(_l("Severity"))
    cause = ChoiceField(_l("Cause"))
    measure = TextArea(_l("What is done about it"), max_length=4000)
    follow_up_on = DateField(_l("Follow up on"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on
        super().__init__(*args, **options)
        self.category.choices = words_of(ComplaintCategory)
        self.severity.choices = words_of(Severity)
        self.cause.choices = words_of(Cause)


class RatingForm(Form):
    stars = RadioChoiceField(_l("How did we do?"))
    words = TextArea(_l("In your words"), max_length=2000)

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on
        super().__init__(*args, **options)
        self.stars.choices = [
            ("5", _("5: very good")),
            ("4", _("4: good")),
            ("3", _("3: fair")),
            ("2", _("2: poor")),
            ("1", _("1: very poor")),
        ]


class TeamForm(Form):
    version = HiddenField()
    code = CodeField(_l("Code"))
    name = TextField(_l("Name"))
    members = CheckListField(_l("Members"), validate_choice=False)
    manager = ChoiceField(_l("Manager, who is told when an answer is overdue"), required=False)
    alarm_email = EmailField(_l("Alarm by e-mail"), required=False)
    alarm_phone = TextField(_l("Alarm by text message (phone number)"), required=False)
    calendar = ChoiceField(_l("Business hours"), required=False)
    is_active = CheckField(_l("The team takes cases"))


class RuleForm(Form):
    version = HiddenField()
    number = NumberField(_l("Rule number"), places=0, least=Decimal(1), most=Decimal(999_999))
    kind = ChoiceField(_l("Kind"), required=False)
    category = CodeField(_l("Category of the product"), required=False, max_length=500)
    account = CodeField(_l("Account code"), required=False)
    country = CodeField(_l("Country of the account (ISO code)"), required=False, max_length=2)
    team = ChoiceField(_l("Team"))
    priority = ChoiceField(_l("Priority"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on
        super().__init__(*args, **options)
        self.kind.choices = words_of(CaseKind, _("any"))
        self.priority.choices = words_of(Priority, _("as asked"))


class PhraseForm(Form):
    version = HiddenField()
    name = TextField(_l("Name"))
    locale = ChoiceField(_l("Language"), required=False)
    body = TextArea(_l("Text"), required=True, max_length=LONGEST_MESSAGE)
