"""Sign in as two people, let wapiti and sqlmap try the portal, and say what they found.

usage: scan.py URL FOLDER WAPITI SQLMAP MINUTES (scan.sh starts the server before)
"""

import json
import re
import subprocess
import sys
import time
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

from portal.demo.cast import PASSWORD

PEOPLE = {"buyer": "cfo@acme.example", "agent": "service@northwind.example"}
MODULES = "csp,http_headers,file,redirect,methods,sql,xss,permanentxss,crlf"
"""Without those that want a listener outside, or HTTPS, which a demo does not have."""
ASKED = {
    "buyer": (
        "/quotes?q=a&sort=-total&page=1&size=50&tab=all",
        "/orders?q=a&sort=number&page=1&status=all",
        "/catalog?q=dock&category=&page=1&sort=price",
        "/search?q=dock",
        "/reports/orders?by=month&period=this-year&currency=EUR",
    ),
    "agent": (
        "/service/cases?q=a&sort=number&page=1&kind=question",
        "/service/assets?q=a&sort=tag&page=1",
        "/orders?q=a&sort=number&page=1",
        "/search?q=lamp",
    ),
}
"""Addresses whose arguments reach a query."""


def main(url: str, out: Path, wapiti: str, sqlmap: str, minutes: int) -> int:
    """Run both scanners as each person; return how many findings there are."""
    _wait_for(url)
    found = 0
    for who, email in PEOPLE.items():
        found += _wapiti(wapiti, url, _cookie(url, email), out / f"wapiti-{who}.json", minutes)
        asked = [url + path for path in ASKED[who]]
        found += _sqlmap(sqlmap, asked, _cookie(url, email), out / f"sqlmap-{who}", minutes)
    print(f"{found} findings; what the scanners said is in {out}/.")
    return found


def _wait_for(url: str) -> None:
    for _turn in range(120):
        try:
            with build_opener().open(f"{url}/healthz", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.5)
    sys.exit("The demo does not answer; see server.log.")


def _cookie(url: str, email: str) -> str:
    """Sign in and return the cookies as a header has them."""
    jar = CookieJar()
    browser = build_opener(HTTPCookieProcessor(jar))
    page = _open(browser, f"{url}/sign-in")
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    typed = {"email": email, "password": PASSWORD, "csrf_token": token.group(1) if token else ""}
    after = _open(browser, f"{url}/sign-in", urlencode(typed).encode())
    if "csrf_token" not in after or 'name="password"' in after:
        sys.exit(f"{email} could not sign in.")
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def _open(browser: OpenerDirector, url: str, data: bytes | None = None) -> str:
    try:
        with browser.open(url, data, timeout=30) as answer:
            return str(answer.read().decode())
    except HTTPError as error:
        return error.read().decode()


def _run(command: list[str], log: Path, minutes: int) -> None:
    """Let a scanner work; one that does not come to an end has proved nothing."""
    with log.open("w") as said:
        try:
            subprocess.run(command, stdout=said, stderr=said, check=False, timeout=minutes * 60)  # noqa: S603 - named by the operator
        except subprocess.TimeoutExpired:
            sys.exit(f"Not finished after {minutes} minutes: raise MINUTES. See {log}.")


def _wapiti(program: str, url: str, cookie: str, report: Path, minutes: int) -> int:
    print(f"wapiti: {report.stem}", flush=True)
    command = [program, "-u", f"{url}/", "--scope", "folder", "--flush-session", "--no-bugreport"]
    command += ["-H", f"Cookie: {cookie}", "-m", MODULES, "-d", "4", "--tasks", "4"]
    command += ["--max-scan-time", str(minutes * 60), "--max-links-per-page", "20"]
    command += ["--max-attack-time", str(minutes * 60 // 2), "--max-files-per-dir", "40"]
    command += ["-x", f"{url}/sign-out", "-x", f"{url}/static/*", "-x", f"{url}/memberships*"]
    command += ["-f", "json", "-o", str(report), "--store-session", str(report.with_suffix(".db"))]
    log = report.with_suffix(".log")
    _run(command, log, minutes * 4)
    if not report.exists():
        sys.exit(f"wapiti wrote no report; see {log}.")
    told = json.loads(report.read_text())
    count = 0
    for kind in ("vulnerabilities", "anomalies"):
        for name, cases in told[kind].items():
            for case in cases:
                count += 1
                print(f"  {name}: {case['method']} {case['path']} {case['info']}")
    print(f"  {told['infos'].get('crawled_pages_nbr', '?')} pages")
    return count


def _sqlmap(program: str, asked: list[str], cookie: str, out: Path, minutes: int) -> int:
    print(f"sqlmap: {out.name}", flush=True)
    out.mkdir(parents=True, exist_ok=True)
    targets, results, log = out / "targets.txt", out / "results.csv", out / "said.log"
    targets.write_text("\n".join(asked))
    command = [program, "-m", str(targets), f"--cookie={cookie}", "--batch", "--level=1"]
    command += ["--risk=1", "--technique=BEUQ", "--threads=2", "--disable-coloring"]
    command += [f"--output-dir={out}", f"--results-file={results}"]
    _run(command, log, minutes * 4)
    if "tested" not in log.read_text() and "testing" not in log.read_text():
        sys.exit(f"sqlmap tested nothing; see {log}.")
    rows = results.read_text().splitlines()[1:] if results.exists() else []
    hits = [row for row in rows if row.strip() and row.split(",")[2:3] != [""]]
    for row in hits:
        print(f"  {row}")
    return len(hits)


if __name__ == "__main__":
    address, folder, first, second, length = sys.argv[1:]
    sys.exit(1 if main(address, Path(folder), first, second, int(length)) else 0)
