"""The status page in a browser: it shows what Postgres has, says what it cannot tell, asks nobody else."""

import json
import os
import signal
from urllib.parse import urlsplit

import psutil
import pytest

from tests.dashboards import RUNBOOKS
from tests.e2e.browser import open_browser

pytestmark = pytest.mark.integration

PROBLEM = "application/problem+json"
NOW = "/status/api/accepted_in_all"
WINDOW = "/status/api/submits?start=1795391000&end=1795392000&step=5"
ACCEPTED = "SELECT sum(total)::int FROM job_totals WHERE from_status = 'none'"
SUBMITS = 5
SHOWN_WITHIN_S = 40
ONE_FIRES = """
const ask = window.fetch;
const labels = { alertname: "PartDown", severity: "critical", part: "redis", alertstate: "firing" };
const body = JSON.stringify({ status: "success", data: { result: [{ metric: labels, value: [0, "1"] }] } });
window.fetch = (address, options) =>
  address.endsWith("/alerts") ? Promise.resolve(new Response(body)) : ask(address, options);
"""
"""What Prometheus would say of a part that is down for a while."""
COLOURS = """
const [labels, done] = arguments;
const style = getComputedStyle(document.documentElement);
import("/status/panels.js").then(({ coloursOf }) => {
  done(coloursOf(labels).map((name) => style.getPropertyValue(name)));
});
"""
INKED = """
return [...document.querySelectorAll("figure canvas")].filter((canvas) => {
  const { width, height } = canvas;
  const copy = Object.assign(document.createElement("canvas"), { width, height });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const pixels = context.getImageData(0, 0, width, height).data;
  return pixels.some((value, place) => place % 4 === 3 && value > 0);
}).map((canvas) => canvas.closest("figure").id)
"""


def text_of(browser, selector):
    return browser.execute_script("return document.querySelector(arguments[0]).textContent", selector)


def hosts_asked(browser):
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    return {urlsplit(url).netloc for url in asked if urlsplit(url).scheme in {"http", "https"}}


def strangers_of(browser):
    """Give the addresses outside this machine to which a process of the browser has a connection."""
    family = psutil.Process(browser.service.process.pid).children(recursive=True)
    remote = {each.raddr.ip for process in family for each in process.net_connections() if each.raddr}
    return {address for address in remote if not address.startswith("127.") and address != "::1"}


def test_page_shows_what_postgres_has_and_draws_it(stack, poll, tmp_path):
    for _ in range(SUBMITS):
        assert stack.call("POST", "/predict", {"features": [5.1, 3.5, 1.4, 0.2]}).status == 202
    with open_browser(tmp_path) as browser:
        browser.get(f"{stack.base}/status")

        def shows_all():
            [(accepted,)] = stack.rows(ACCEPTED)
            return text_of(browser, "#accepted_in_all output").replace(",", "") == str(accepted) or None

        poll(shows_all, SHOWN_WITHIN_S)
        drawn = {"submits", "submit_seconds", "open_jobs", "ended_jobs"}

        def draws_all():
            # A rate is seen only of what goes on after the first scrape.
            stack.call("POST", "/predict", {"features": [5.1, 3.5, 1.4, 0.2]})
            return drawn <= set(browser.execute_script(INKED)) or None

        poll(draws_all, SHOWN_WITHIN_S)
        rows = browser.execute_script("return document.querySelector('#submits tbody').textContent")
        words = browser.execute_script("return document.querySelector('#submits .plot').ariaLabel")

        assert "202" in rows
        assert words.startswith("Submits by answer, per second, now: 202 ")
        assert browser.execute_script("return document.querySelector('#trouble').hidden")
        assert browser.get_log("browser") == []
        assert hosts_asked(browser) == {urlsplit(stack.base).netloc}
        assert strangers_of(browser) == set()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    "labels",
    [
        ["202", "400", "422", "429", "500", "502", "503", "504", "405"],
        ["202", "405", "413", "415", "499", "503"],
        ["predict busy", "predict in all", "results busy", "results in all"],
    ],
    ids=["known answers", "other answers", "environments"],
)
def test_lines_of_one_chart_have_a_colour_each(stack, tmp_path, labels, dark):
    with open_browser(tmp_path, dark=dark) as browser:
        browser.get(f"{stack.base}/status")
        colours = browser.execute_async_script(COLOURS, labels)
    assert len(set(colours)) == len(labels)
    assert all(colours)


def test_name_of_a_firing_alert_leads_to_its_runbook(stack, poll, tmp_path):
    with open_browser(tmp_path) as browser:
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": ONE_FIRES})
        browser.get(f"{stack.base}/status")
        poll(lambda: "PartDown" in text_of(browser, "#alerts-list") or None, SHOWN_WITHIN_S)
        browser.execute_script("document.querySelector('#alerts-list a').click()")
        poll(lambda: browser.current_url == f"{stack.base}/status/runbooks/PartDown" or None, SHOWN_WITHIN_S)
        assert text_of(browser, "body") == (RUNBOOKS / "PartDown.md").read_text()


@pytest.mark.parametrize("runbook", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_runbook_is_served_as_text(stack, runbook):
    answer = stack.call("GET", f"/status/runbooks/{runbook.stem}")
    assert (answer.status, answer.text) == (200, runbook.read_text())
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("dark", [False, True])
def test_page_fits_a_phone(stack, poll, tmp_path, dark):
    with open_browser(tmp_path, width=390, height=844, dark=dark) as browser:
        browser.get(f"{stack.base}/status")
        poll(lambda: "As of" in text_of(browser, "#asked") or None, SHOWN_WITHIN_S)
        width, background = browser.execute_script(
            "return [document.documentElement.scrollWidth, getComputedStyle(document.body).backgroundColor]"
        )
        assert width == 390
        assert background == ("rgb(18, 21, 26)" if dark else "rgb(246, 247, 249)")


def test_prometheus_that_does_not_answer_is_a_502_and_said_on_the_page(stack, poll, tmp_path):
    pid = stack.pid_of("prometheus")
    with open_browser(tmp_path) as browser:
        browser.get(f"{stack.base}/status")
        poll(lambda: "As of" in text_of(browser, "#asked") or None, SHOWN_WITHIN_S)
        os.kill(pid, signal.SIGSTOP)
        try:
            poll(lambda: "Prometheus does not answer" in text_of(browser, "#trouble") or None, SHOWN_WITHIN_S)
            answer = stack.call("GET", NOW)
        finally:
            os.kill(pid, signal.SIGCONT)
        poll(lambda: browser.execute_script("return document.querySelector('#trouble').hidden") or None, 20)
    assert (answer.status, answer.headers["Content-Type"]) == (502, PROBLEM)
    assert answer.json["detail"] == "Prometheus does not answer."


@pytest.mark.parametrize("path", [NOW, WINDOW])
def test_fixed_query_is_answered(stack, path):
    answer = stack.call("GET", path)
    assert (answer.status, answer.json["status"]) == (200, "success")


@pytest.mark.parametrize(
    "path",
    [
        f"{NOW}?query=up",
        f"{NOW}/",
        "/status/api/",
        "/status/api/up",
        "/status/api/query?query=up",
        "/status/api/../../api/v1/query?query=up",
        "/status/api/submits",
        f"{WINDOW}&query=up",
        f"{WINDOW}0",
        WINDOW.replace("step=5", "step=1"),
        WINDOW.replace("start=1795391000", "start=1"),
        WINDOW.replace("start=1795391000", "start=1295391000"),
        WINDOW.replace("end=", "start="),
        WINDOW.replace("1795391000", "1795391000%26query%3Dup"),
        "/status/queries.yml",
        "/status/page/index.html",
        "/status/vendor/README.md",
        "/status/runbooks/",
        "/status/runbooks/PartDown.md",
        "/status/runbooks/NoSuchAlert",
        "/status/runbooks/..%2findex",
        "/api/v1/query?query=up",
        "/metrics",
        "/-/reload",
    ],
)
def test_nothing_else_of_prometheus_is_reachable(stack, path):
    answer = stack.call("GET", path)
    assert (answer.status, answer.headers["Content-Type"]) == (404, PROBLEM)


@pytest.mark.parametrize("path", ["/status", "/status/page.js", "/status/runbooks/PartDown", NOW])
def test_status_is_read_only(stack, path):
    answer = stack.call("POST", path)
    assert (answer.status, answer.headers["Allow"], answer.headers["Content-Type"]) == (405, "GET", PROBLEM)


def test_page_may_load_from_its_own_host_alone(stack):
    headers = stack.call("GET", "/status").headers
    policy = headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
