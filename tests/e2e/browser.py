"""Chromium without a screen, that asks nobody but the stack."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
"""Named, so that Selenium looks for none and asks nobody for one."""
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
COLOURS = [{"name": "prefers-color-scheme", "value": "dark"}]


@contextmanager
def open_browser(
    folder: Path, *, width: int = 1280, height: int = 1000, dark: bool = False
) -> Iterator[Chrome]:
    """Open a browser of its own, whose profile and log lie in the folder."""
    options = ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options, Service(DRIVER, log_output=str(folder / "chromedriver.log")))
    try:
        # A window has a least width; what a page is laid out for has none.
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": COLOURS if dark else []})
        yield driver
    finally:
        driver.quit()
