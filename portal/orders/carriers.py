"""Who brings goods, and where each of them tells how far they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from portal.errors import N_


@dataclass(frozen=True, slots=True)
class Carrier:
    """One carrier; ``template`` is its tracking page, with ``{number}`` for the tracking number."""

    code: str
    name: str
    template: str = ""


CARRIERS: Final[Mapping[str, Carrier]] = {
    carrier.code: carrier
    for carrier in (
        Carrier("dhl", "DHL", "https://www.dhl.com/global-en/home/tracking.html?tracking-id={number}"),
        Carrier("ups", "UPS", "https://www.ups.com/track?tracknum={number}"),
        Carrier("fedex", "FedEx", "https://www.fedex.com/fedextrack/?trknbr={number}"),
        Carrier("dpd", "DPD", "https://tracking.dpd.de/parcelstatus?query={number}"),
        Carrier("gls", "GLS", "https://gls-group.com/track/{number}"),
        Carrier("cj", "CJ Logistics", "https://trace.cjlogistics.com/next/tracking.html?wblNo={number}"),
        Carrier("sf", "SF Express", "https://www.sf-express.com/chn/en/waybill/waybill-detail/{number}"),
        Carrier("own", N_("Own vehicle")),
        Carrier("pickup", N_("Picked up by the customer")),
        Carrier("other", N_("Another carrier")),
    )
}  # fmt: skip
"""Code -> carrier, in the order in which the form offers them."""


def name_of(code: str) -> str:
    """Return a carrier's name; the marked ones are translated where they are shown."""
    carrier = CARRIERS.get(code)
    return carrier.name if carrier else code


def tracking_url(code: str, tracking_number: str) -> str:
    """Return the address of a carrier's tracking page, or nothing where there is none.

    The number is quoted whole: nothing typed can lead the link to another place.
    """
    carrier = CARRIERS.get(code)
    if carrier is None or not carrier.template or not tracking_number:
        return ""
    return carrier.template.replace("{number}", quote(tracking_number, safe=""))
