"""What may be chosen in the user menu."""

from portal.web.forms import Form, HiddenField
from portal.web.locale import language_of
from portal.web.shell import THEMES


class PreferencesForm(Form):
    """Language, theme, or both; the address to come back to."""

    locale = HiddenField()
    theme = HiddenField()
    next = HiddenField()

    @property
    def chosen_locale(self) -> str | None:
        """The language asked for, None where it is none of ours."""
        language = language_of(self.locale.data)
        return language.tag if language else None

    @property
    def chosen_theme(self) -> str | None:
        """The theme asked for, None where it is none of ours."""
        theme: str | None = self.theme.data
        return theme if theme in THEMES else None
