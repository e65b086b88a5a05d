"""All tables of the portal in one place, for comparing models with migrations."""

from portal import marks
from portal.accounts import models as accounts
from portal.approvals import models as approvals
from portal.calendars import models as calendars
from portal.catalog import models as catalog
from portal.catalog.pricing import models as pricing
from portal.catalog.stock import models as stock
from portal.events import models as events
from portal.files import models as files
from portal.jobs import models as jobs
from portal.messages import models as messages
from portal.orders import fulfilment
from portal.orders import models as orders
from portal.orders.history import models as past_orders
from portal.quotes import models as quotes
from portal.reports import models as reports
from portal.service.assets import models as assets
from portal.service.cases import models as cases
from portal.service.clock import models as service_clock
from portal.service.knowledge import models as knowledge
from portal.service.repairs import models as repairs
from portal.sms import models as sms

MODULES = (
    accounts,
    approvals,
    calendars,
    catalog,
    pricing,
    stock,
    events,
    files,
    jobs,
    messages,
    orders,
    fulfilment,
    past_orders,
    quotes,
    reports,
    assets,
    cases,
    service_clock,
    knowledge,
    repairs,
    sms,
    marks,
)
