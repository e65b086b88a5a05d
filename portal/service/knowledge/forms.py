"""What may be typed about articles."""

from typing import Final

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField

from portal.service.knowledge.rules import MOST_BODY, MOST_TITLE, Audience, Text
from portal.web.forms import CheckListField, ChoiceField, Form, TextArea, TextField
from portal.web.locale import LANGUAGES

KEYS: Final = {tag: tag.replace("-", "_") for tag in LANGUAGES}
"""Language tag -> how its fields are called."""


class ArticleForm(Form):
    audience = ChoiceField(_l("For whom"), choices=[(item.value, item.label) for item in Audience])
    accounts = CheckListField(_l("Accounts"))
    category = ChoiceField(_l("Category"), required=False)
    skus = TextField(_l("Products"), required=False, max_length=2_000)
    version = HiddenField()

    @property
    def texts(self) -> dict[str, Text]:
        """What was typed, by language."""
        return {
            tag: Text(self[f"title_{key}"].data or "", self[f"body_{key}"].data or "")
            for tag, key in KEYS.items()
        }


for _key in KEYS.values():
    setattr(
        ArticleForm, f"title_{_key}", TextField(_l("Title"), required=False, max_length=MOST_TITLE)
    )
    setattr(ArticleForm, f"body_{_key}", TextArea(_l("Text"), max_length=MOST_BODY))


class HelpedForm(Form):
    helped = ChoiceField(_l("Did this help?"), choices=[("1", _l("Yes")), ("0", _l("No"))])
