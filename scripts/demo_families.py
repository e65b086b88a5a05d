"""Which products the demo catalogue takes from each source file, and what it reads from them."""

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

Row = Mapping[str, str]
Attributes = dict[str, str]

MIB_PER_GIB = 1000


@dataclass(frozen=True)
class Family:
    """One product family of the catalogue.

    Attributes:
        prefix: First part of our SKUs.
        source: File stem in the input folder.
        category: Category path.
        noun: What it is, in English, for the descriptions.
        words: What it is in Simplified Chinese, Traditional Chinese and Korean.
        limit: How many products to take.
        makers: Manufacturers to take; empty takes all.
        attributes: Reads the attributes of one source row.
        title: Attributes that make the name distinct.
        lead_time_days: Delivery time.
    """

    prefix: str
    source: str
    category: str
    noun: str
    words: tuple[str, str, str]
    limit: int
    makers: tuple[str, ...]
    attributes: Callable[[Row], Attributes]
    title: tuple[str, ...] = ()
    lead_time_days: int = 3


def _filled(**values: str) -> Attributes:
    """Drop what the source leaves empty; an underscore in a name stands for a space."""
    named = {name.replace("_", " "): value for name, value in values.items()}
    return {name: value for name, value in named.items() if value}


def _unit(value: str, unit: str) -> str:
    return f"{value.replace(',', '-')} {unit}" if value else ""


def capacity(gigabytes: str) -> str:
    """Write a capacity in GB or TB as vendors print it."""
    if not gigabytes:
        return ""
    size = Decimal(gigabytes)
    if size < MIB_PER_GIB:
        return f"{size.normalize():f} GB"
    return f"{(size / MIB_PER_GIB).normalize():f} TB"


def _monitor(row: Row) -> Attributes:
    return _filled(
        Screen_size=_unit(row["screen_size"], "in"),
        Resolution=row["resolution"].replace(",", " x "),
        Refresh_rate=_unit(row["refresh_rate"], "Hz"),
        Panel=row["panel_type"],
    )


def _memory(row: Row) -> Attributes:
    generation, speed = row["speed"].split(",")
    count, size = row["modules"].split(",")
    return _filled(
        Memory=f"{int(count) * int(size)} GB",
        Memory_type=f"DDR{generation}-{speed}",
        Modules=f"{count} x {size} GB",
        Color=row["color"],
    )


def _drive(row: Row) -> Attributes:
    spinning = row["type"].isdigit()
    return _filled(
        Capacity=capacity(row["capacity"]),
        Drive_type=f"HDD {row['type']} rpm" if spinning else row["type"],
        Form_factor=_unit(row["form_factor"], "in")
        if row["form_factor"][:1].isdigit()
        else row["form_factor"],
        Interface=row["interface"],
    )


def _external_drive(row: Row) -> Attributes:
    return _filled(
        Capacity=capacity(row["capacity"]),
        Drive_type=row["type"],
        Interface=row["interface"].split(",")[0],
        Color=row["color"],
    )


def _processor(row: Row) -> Attributes:
    return _filled(
        Cores=row["core_count"],
        Clock=_unit(row["boost_clock"] or row["core_clock"], "GHz"),
        Power=_unit(row["tdp"], "W"),
        Architecture=row["microarchitecture"],
    )


def _motherboard(row: Row) -> Attributes:
    return _filled(
        Socket=row["socket"],
        Form_factor=row["form_factor"],
        Memory=_unit(row["max_memory"], "GB"),
        Color=row["color"],
    )


def _graphics(row: Row) -> Attributes:
    return _filled(Chipset=row["chipset"], Memory=_unit(row["memory"], "GB"), Color=row["color"])


def _power_supply(row: Row) -> Attributes:
    efficiency = f"80 PLUS {row['efficiency'].title()}" if row["efficiency"] else ""
    return _filled(
        Power=_unit(row["wattage"], "W"),
        Efficiency=efficiency,
        Form_factor=row["type"],
        Color=row["color"],
    )


def _case(row: Row) -> Attributes:
    return _filled(Form_factor=row["type"], Color=row["color"])


def _cooler(row: Row) -> Attributes:
    kind = f"liquid, {row['size']} mm" if row["size"] else "air"
    return _filled(Cooling=kind, Color=row["color"])


def _fan(row: Row) -> Attributes:
    return _filled(Size=_unit(row["size"], "mm"), Color=row["color"])


def _keyboard(row: Row) -> Attributes:
    return _filled(
        Connection=row["connection_type"].replace(",", ", "),
        Switches=row["switches"],
        Color=row["color"],
    )


def _mouse(row: Row) -> Attributes:
    return _filled(
        Connection=row["connection_type"],
        Hand=row["hand_orientation"],
        Color=row["color"],
    )


def _headset(row: Row) -> Attributes:
    return _filled(
        Connection="Wireless" if row["wireless"] == "true" else "Wired",
        Microphone="yes" if row["microphone"] == "true" else "no",
        Color=row["color"],
    )


def _webcam(row: Row) -> Attributes:
    return _filled(
        Resolution=row["resolutions"].split(",")[0],
        Interface=row["connection"],
        Focus=row["focus_type"],
    )


def _speakers(row: Row) -> Attributes:
    return _filled(
        Channels=row["configuration"], Power=_unit(row["wattage"], "W"), Color=row["color"]
    )


def _wired(row: Row) -> Attributes:
    return _filled(Interface=row["interface"], Color=row["color"])


def _wireless(row: Row) -> Attributes:
    return _filled(Protocol=row["protocol"], Interface=row["interface"], Color=row["color"])


def _ups(row: Row) -> Attributes:
    return _filled(Power=_unit(row["capacity_w"], "W"), Rating=_unit(row["capacity_va"], "VA"))


def _system(row: Row) -> Attributes:
    return _filled(Memory=_unit(row["max_memory"], "GB"))


def _paste(row: Row) -> Attributes:
    return _filled(Contents=_unit(row["amount"], "g"))


READERS: Mapping[str, Callable[[Row], Attributes]] = {
    "monitor": _monitor,
    "memory": _memory,
    "internal-hard-drive": _drive,
    "cpu": _processor,
    "motherboard": _motherboard,
    "video-card": _graphics,
    "power-supply": _power_supply,
    "case": _case,
    "cpu-cooler": _cooler,
    "case-fan": _fan,
    "thermal-paste": _paste,
    "keyboard": _keyboard,
    "mouse": _mouse,
    "headphones": _headset,
    "webcam": _webcam,
    "speakers": _speakers,
    "external-hard-drive": _external_drive,
    "wired-network-card": _wired,
    "wireless-network-card": _wireless,
    "ups": _ups,
    "os": _system,
}


def read_families(path: Path) -> list[Family]:
    """Read the table of families; a list in one cell is separated by ``;``."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Family(
                prefix=row["prefix"],
                source=row["source"],
                category=row["category"],
                noun=row["noun"],
                words=(row["zh-Hans"], row["zh-Hant"], row["ko"]),
                limit=int(row["limit"]),
                makers=tuple(filter(None, row["makers"].split(";"))),
                attributes=READERS[row["source"]],
                title=tuple(filter(None, row["title"].split(";"))),
                lead_time_days=int(row["lead_time_days"]),
            )
            for row in csv.DictReader(file)
        ]


_LAPTOP_PATTERNS = {
    "Memory": re.compile(r"\b(\d{1,2}) ?GB(?=[ /]|$| memory)"),
    "Capacity": re.compile(r"\b(512 ?GB|[124] ?TB)\b"),
    "Graphics": re.compile(r"\bRTX \d{4}(?: Ti)?\b"),
    "Screen size": re.compile(r"\b(\d{2}(?:\.\d)?)(?:-inch| inch| in\b)"),
    "Panel": re.compile(r"\b(OLED|AMOLED|IPS)\b"),
    "Color": re.compile(
        r"(Ice Blue|Moonstone Gray|Graphite|Midnight|Silver|Starlight|Sky Blue|Space Black|Black"
        r"|Snowflake White|Eclipse Gray|Mica Silver|Liquid Teal|Tidal Teal|Honey Lavender"
        r"|Shell White|Jet Black|Gray Wood|Scandinavian White|Lunar Silver)\b"
    ),
}


def computer(name: str) -> Attributes:
    """Read the attributes of a laptop or desktop out of its name."""
    found: Attributes = {}
    for attribute, pattern in _LAPTOP_PATTERNS.items():
        match = pattern.search(name)
        if match:
            found[attribute] = match.group(match.lastindex or 0)
    if "Screen size" in found:
        found["Screen size"] += " in"
    if "Memory" in found:
        found["Memory"] += " GB"
    if "Capacity" in found:
        found["Capacity"] = re.sub(r"(\d)([GT])", r"\1 \2", found["Capacity"])
    return found


# The source has no prices for these; list prices are made up, from the line and the graphics chip.
# The first word found in the name decides.
COMPUTER_PRICES = (
    ("Chromebook", 349), ("Blade 18", 2899), ("Blade 16", 2499), ("Blade 14", 1999),
    ("Precision 79", 4299), ("Precision 78", 4799), ("Precision", 2399), ("GB10", 3999),
    ("Pro Max", 1899), ("AI Workstation", 2199), ("Thin Client", 449), ("Mac Pro", 6999),
    ("Mac Studio", 2199), ("Mac mini", 649), ("iMac", 1499), ("MacBook Pro", 1799),
    ("MacBook Air", 1199), ("MacBook", 699), ("Area-51", 2399), ("Area 51", 2299),
    ("Aurora", 1499), ("Alienware", 1999), ("XPS", 1699), ("Dell Pro", 1149),
    ("Galaxy Book4 Ultra", 2399), ("Galaxy Book", 1449), ("OmniStudio", 1599),
    ("OmniBook Ultra", 1449), ("OmniBook X", 1149), ("OmniBook", 849), ("OmniDesk", 799),
    ("Copilot+", 1099), ("Yoga", 1249), ("Zenbook", 1149), ("ExpertBook", 1099),
    ("ROG", 1899), ("TUF", 1299), ("OMEN MAX", 2199), ("OMEN", 1499), ("Victus", 849),
    ("AORUS MASTER", 2499), ("AORUS", 1599), ("Vector", 1999), ("Stealth", 1799),
    ("Prestige", 1099), ("Predator", 1599), ("Nitro", 1199), ("Swift", 1149), ("ONE", 3199),
    ("VENGEANCE", 2299), ("Inspiron", 799), ("All-in-One", 899), ("Plus", 949),
)  # fmt: skip
COMPUTER_PRICE = 599
GRAPHICS_PRICES = {"RTX 5060": 150, "RTX 5070": 400, "RTX 5070 Ti": 650, "RTX 5080": 1200,
                   "RTX 5090": 2200}  # fmt: skip

# Word in the name, noun, its words in three languages, made-up list price.
ACCESSORIES = (
    ("Cable", "Cable", ("数据线", "傳輸線", "케이블"), "39.90"),
    ("Dock", "Docking station", ("扩展坞", "擴充座", "도킹 스테이션"), "189.00"),
    ("Sleeve", "Notebook sleeve", ("保护套", "保護套", "파우치"), "29.90"),
    ("Wrist Rest", "Wrist rest", ("腕托", "腕墊", "손목 받침"), "19.90"),
    ("Mouse Pad", "Mouse pad", ("鼠标垫", "滑鼠墊", "마우스 패드"), "12.90"),
    ("Charger", "Charger", ("充电器", "充電器", "충전기"), "44.90"),
    ("Stream Deck", "Control panel", ("控制台", "控制台", "컨트롤러"), "149.00"),
    ("Console", "Control panel", ("控制台", "控制台", "컨트롤러"), "179.00"),
    ("Mic Arm", "Microphone arm", ("悬臂支架", "懸臂支架", "마이크 암"), "99.00"),
    ("Prompter", "Teleprompter", ("提词器", "提詞機", "프롬프터"), "279.00"),
    ("Charging Puck", "Charging puck", ("充电座", "充電座", "충전 패드"), "19.90"),
)
