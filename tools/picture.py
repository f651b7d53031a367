"""Take the picture of the README from the page that `make demo` writes (`make picture`), so that it shows the report as it is today."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "build" / "demo" / "last9-deployments.html"
PICTURE = ROOT / "docs" / "report.png"
WIDTH, HEIGHT = 1200, 465


def main() -> int:
    """Write docs/report.png; 1 if there is no page or no Chromium."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not PAGE.exists() or browser is None:
        print("There is no page yet: run make demo" if browser else "Chromium is missing: install it (chromium on Debian)", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(PAGE.as_uri())
        page.screenshot(path=str(PICTURE), full_page=False)
        chromium.close()
    print(f"{PICTURE.relative_to(ROOT)} shows {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
