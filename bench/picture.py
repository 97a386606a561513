"""A page as a picture for the documentation: `python -m bench.picture PAGE.html PICTURE.png [HEIGHT]`. Needs Chromium."""

import shutil
import sys
from pathlib import Path


def picture(page: Path, to: Path, height: int = 1500, width: int = 1180) -> Path:
    """The upper `height` pixels of the page, as a reader first sees it."""
    from playwright.sync_api import sync_playwright

    chromium = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": width, "height": height})
        shown.goto(page.resolve().as_uri())
        shown.screenshot(path=str(to))
        browser.close()
    return to


if __name__ == "__main__":
    print(picture(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:])))
