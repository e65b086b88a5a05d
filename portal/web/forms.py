# ruff: noqa: ANN401 - labels are lazy texts, options are handed on to WTForms as they come
"""Form fields that take what people really type, say what is wrong, and never wipe it."""

import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileField as UploadField
from wtforms import (
    BooleanField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms import DateField as WTFormsDateField
from wtforms import PasswordField as WTFormsPasswordField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs of 3.2
from wtforms.fields.core import Field
from wtforms.i18n import get_translations
from wtforms.validators import DataRequired, Optional, ValidationError
from wtforms.widgets import CheckboxInput, EmailInput, ListWidget, RadioInput, TextInput

from portal.errors import DomainError
from portal.web.formats import decimal, refusal
from portal.web.locale import current_language
from portal.web.numbers import NotANumberError, decimals_of, parse_number

__all__ = [
    "AmountField",
    "CheckField",
    "CheckListField",
    "ChoiceField",
    "CodeField",
    "DateField",
    "EmailField",
    "FileField",
    "Form",
    "HiddenField",
    "PasswordField",
    "QuantityField",
    "RadioChoiceField",
    "TextArea",
    "TextField",
]

LONGEST_LINE: Final = 200
LONGEST_TEXT: Final = 4000
MOST_QUANTITY: Final = Decimal(999_999_999)
MOST_AMOUNT: Final = Decimal(999_999_999_999)

Filters = Sequence[Any]


class Form(FlaskForm):
    """A form with our words: CSRF, WTForms' own messages in the reader's language, refusals."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)  # type: ignore[no-untyped-call]  # Flask-WTF's

    class Meta(FlaskForm.Meta):
        """Where WTForms finds its own messages; Flask-WTF would ask Babel and get zh_Hant wrong."""

        def get_translations(self, _form: object) -> Any:
            """Return WTForms' catalogue for the language of this request."""
            return get_translations([current_language().wtforms])

    def is_submitted(self) -> bool:
        """Whether this request sends the form."""
        return bool(super().is_submitted())  # type: ignore[no-untyped-call]  # Flask-WTF's

    def validate_on_submit(self, extra_validators: Any = None) -> bool:
        """Whether this request sends the form, and rightly filled in."""
        return bool(super().validate_on_submit(extra_validators))  # type: ignore[no-untyped-call]  # Flask-WTF's

    def add_error(self, error: DomainError | str, field: str | None = None) -> None:
        """Show a refusal at the field it names, or above the form."""
        text = refusal(error) if isinstance(error, DomainError) else str(error)
        name = field or (error.field if isinstance(error, DomainError) else None)
        if name in self._fields:
            held = self._fields[name]
            held.errors = [*held.errors, text]
        else:
            self.form_errors = [*self.form_errors, text]


def fold(text: str | None) -> str | None:
    """Trim a typed line and turn full-width letters and digits into plain ones."""
    return unicodedata.normalize("NFKC", text).strip() if text else text


def trim(text: str | None) -> str | None:
    """Trim what was typed; inside it nothing changes."""
    return text.strip() if text else text


def _said(field: Field) -> str:
    return str(field.label.text)


class Needed(DataRequired):
    """Something must be entered; blanks are nothing."""

    def __call__(self, form: Any, field: Field) -> None:
        self.message = _("Enter a value: %(label)s.", label=_said(field))
        super().__call__(form, field)


class FileNeeded:
    """A file must be chosen."""

    field_flags: ClassVar[dict[str, bool]] = {"required": True}

    def __call__(self, _form: object, field: Field) -> None:
        if not getattr(field.data, "filename", ""):
            raise ValidationError(_("Choose a file: %(label)s.", label=_said(field)))


class AtMost:
    """No more characters than the column holds."""

    def __init__(self, characters: int) -> None:
        self.characters = characters
        self.field_flags = {"maxlength": characters}

    def __call__(self, _form: object, field: Field) -> None:
        if field.data and len(field.data) > self.characters:
            raise ValidationError(
                _(
                    "%(label)s is longer than %(most)s characters: shorten it by %(over)s.",
                    label=_said(field),
                    most=self.characters,
                    over=len(field.data) - self.characters,
                )
            )


class OneLine:
    """No control characters: they would vanish on the page and break files and mails."""

    def __call__(self, _form: object, field: Field) -> None:
        if any(unicodedata.category(char) == "Cc" for char in field.data or ""):
            raise ValidationError(
                _("%(label)s holds a character that can't be shown.", label=_said(field))
            )


def _rules(*, required: bool, extra: Sequence[Any]) -> list[Any]:
    return [Needed() if required else Optional(strip_whitespace=True), *extra]


class TextField(StringField):
    """One line, trimmed."""

    line_filters: ClassVar[Filters] = (trim,)

    def __init__(
        self,
        label: Any = None,
        *,
        required: bool = True,
        max_length: int = LONGEST_LINE,
        validators: Sequence[Any] = (),
        **options: Any,
    ) -> None:
        rules = _rules(required=required, extra=[AtMost(max_length), OneLine(), *validators])
        super().__init__(label, rules, filters=[*self.line_filters], **options)


class CodeField(TextField):
    """A code or number of ours or theirs: trimmed, full-width letters and digits made plain."""

    line_filters: ClassVar[Filters] = (fold,)

    def __init__(self, label: Any = None, *, max_length: int = 64, **options: Any) -> None:
        super().__init__(label, max_length=max_length, **options)


class TextArea(TextAreaField):
    """Several lines, trimmed at both ends."""

    def __init__(
        self,
        label: Any = None,
        *,
        required: bool = False,
        max_length: int = LONGEST_TEXT,
        validators: Sequence[Any] = (),
        **options: Any,
    ) -> None:
        rules = _rules(required=required, extra=[AtMost(max_length), *validators])
        super().__init__(label, rules, filters=[trim], **options)


class NumberField(Field):
    """A decimal number; what was typed stays in the box whether or not it can be read."""

    widget = TextInput()
    data: Decimal | None

    def __init__(
        self,
        label: Any = None,
        *,
        required: bool = True,
        validators: Sequence[Any] = (),
        places: int = 3,
        least: Decimal | None = None,
        most: Decimal = MOST_AMOUNT,
        **options: Any,
    ) -> None:
        options.setdefault("render_kw", {"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(label, list(validators), **options)
        self.places, self.least, self.most, self.required = places, least, most, required
        if required:
            self.flags.required = True

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{self.data.normalize():f}"

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the typed text.

        Raises:
            ValueError: It is not a number, has too many decimals, or is out of range.
        """
        self.data = None
        if not valuelist:
            return
        text = str(valuelist[0]).strip()
        if text:
            self.data = self._read(text)

    def pre_validate(self, _form: object) -> None:
        """Refuse an empty field that is required."""
        if self.required and self.data is None and not self.process_errors:
            raise ValidationError(_("Enter a number: %(label)s.", label=_said(self)))

    def _read(self, text: str) -> Decimal:
        try:
            value = parse_number(text)
        except NotANumberError:
            raise ValueError(
                _("“%(text)s” is not a number. Enter one such as 1,250 or 12.5.", text=text[:40])
            ) from None
        if decimals_of(value) > self.places:
            raise ValueError(_too_fine(self.places))
        self._within(value)
        return value

    def _within(self, value: Decimal) -> None:
        if self.least is not None and value < self.least:
            raise ValueError(_("Enter %(least)s or more.", least=decimal(self.least, 0, 4)))
        if value > self.most:
            raise ValueError(_("Enter %(most)s or less.", most=decimal(self.most, 0, 4)))


def _too_fine(places: int) -> str:
    if places == 0:
        return _("Enter a whole number.")
    return _("Enter at most %(places)s decimals.", places=places)


class QuantityField(NumberField):
    """How many: above zero, at most three decimals."""

    def __init__(self, label: Any = None, **options: Any) -> None:
        options.setdefault("least", Decimal("0.001"))
        super().__init__(label, places=3, most=MOST_QUANTITY, **options)


class AmountField(NumberField):
    """An amount of money, at most four decimals; ``min`` is the smallest one allowed."""

    def __init__(self, label: Any = None, *, min: Decimal | int | None = 0, **options: Any) -> None:  # noqa: A002 - the word of the attribute
        options.setdefault("places", 4)
        options.setdefault("least", None if min is None else Decimal(min))
        super().__init__(label, **options)


class FromPairs(SelectField):
    """Choices may be (value, label) pairs, set at the class or by the view."""

    def __init__(self, label: Any = None, *, choices: Any = None, **options: Any) -> None:
        super().__init__(label, choices=_choices(choices), **options)

    @property
    def choices(self) -> Any:
        """What may be chosen."""
        return super().choices

    @choices.setter
    def choices(self, offered: Any) -> None:
        held: Any = SelectField.choices  # the stubs call the property a plain attribute
        held.fset(self, _choices(offered))

    def pre_validate(self, form: Any) -> None:
        """Refuse a value that is not offered."""
        try:
            super().pre_validate(form)
        except ValidationError:
            message = _("Choose one of the list: %(label)s.", label=_said(self))
            raise ValidationError(message) from None


def _choices(offered: Any) -> Any:
    if offered is None or callable(offered):
        return offered
    return [SelectChoice(*item) if isinstance(item, tuple) else item for item in offered]


class ChoiceField(FromPairs):
    """One of a list; a value that is not in it is refused in words."""

    def __init__(
        self,
        label: Any = None,
        *,
        required: bool = True,
        validators: Sequence[Any] = (),
        **options: Any,
    ) -> None:
        # Only nothing at all is no choice: `Optional` would take the refusal of a blank back.
        first = Needed() if required else Optional(strip_whitespace=False)
        super().__init__(label, validators=[first, *validators], **options)


class RadioChoiceField(FromPairs, RadioField):
    """One of a few, all in sight."""

    widget = ListWidget(prefix_label=False)
    option_widget = RadioInput()


class CheckListField(FromPairs, SelectMultipleField):
    """Several of a few, all in sight."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class CheckField(BooleanField):
    """Yes or no."""

    def __init__(self, label: Any = None, **options: Any) -> None:
        super().__init__(label, **options)


class EmailField(TextField):
    """An e-mail address, trimmed."""

    widget = EmailInput()

    def __init__(self, label: Any = None, *, max_length: int = 254, **options: Any) -> None:
        super().__init__(label, max_length=max_length, **options)


class PasswordField(WTFormsPasswordField):
    """A password as typed: neither trimmed nor shown again."""

    def __init__(
        self,
        label: Any = None,
        *,
        required: bool = True,
        validators: Sequence[Any] = (),
        **options: Any,
    ) -> None:
        super().__init__(label, _rules(required=required, extra=validators), **options)


class DateField(WTFormsDateField):
    """A calendar day; what can't be read is said in words."""

    def __init__(
        self,
        label: Any = None,
        *,
        required: bool = True,
        validators: Sequence[Any] = (),
        **options: Any,
    ) -> None:
        super().__init__(label, _rules(required=required, extra=validators), **options)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the day.

        Raises:
            ValueError: It is not a day of the calendar.
        """
        if not valuelist or not str(valuelist[0]).strip():
            self.data = None
            return
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_("Enter a day such as 2026-12-31.")) from None


class FileField(UploadField):
    """A file; ``accept`` names the endings that the browser offers."""

    def __init__(
        self,
        label: Any = None,
        *,
        required: bool = False,
        accept: str = ".csv,.xlsx",
        validators: Sequence[Any] = (),
        **options: Any,
    ) -> None:
        options.setdefault("render_kw", {"accept": accept})
        rules = [*([FileNeeded()] if required else []), *validators]
        super().__init__(label, rules, **options)
