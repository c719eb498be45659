"""Make the pictures of README.md and docs/ again, from the embedded data: ``make pictures``.

The page is opened in Debian's chromium, which the other pictures do without.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import regioncast as rc

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TITLE = "Left against right finger movement"

# What the reader of the page is to see: a region chosen, by its name.
CHOSEN = "7Networks_RH_SomMot_7"


def main() -> None:
    """Write all pictures beside this file."""
    demo = rc.demo_data()
    image = rc.paint(demo.values, demo.atlas)
    for name, options in {
        "slices": {"kind": "slices"},
        "surface": {"kind": "surface"},
        "surface-dark": {"kind": "surface", "theme": "dark"},
        "ranked": {"kind": "ranked"},
    }.items():
        figure = rc.plot(image, unit="z", title=TITLE, **options)
        write(figure, HERE / f"{name}.png")
    networks = rc.plot(rc.load_parcellation(demo.atlas).group("network"), kind="surface", title="")
    write(networks, HERE / "networks.png")
    page_picture(rc.view(image, unit="z", title=TITLE))


def write(figure, path: Path) -> None:
    figure.savefig(path, dpi=150)
    print(f"{path.relative_to(ROOT)}, {path.stat().st_size // 1000} kB")


def page_picture(view: rc.View) -> None:
    """Open the page, choose a region, and keep what is seen."""
    sys.path.insert(0, str(ROOT / "tests"))
    from browser import IS_THERE, Browser

    if not IS_THERE:
        print("page.png is left as it is: there is no chromium with chromium-driver")
        return
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(Path(folder))
        try:
            page = browser.open(view.html, size=(1280, 800), ratio=1.5)
            page.run(f"""
              const names = regioncast.meta.regions.names;
              regioncast.goTo(names.indexOf('{CHOSEN}') + 1);
              document.querySelector('#brain [aria-label="Right"]')?.click();
              regioncast.drawNow();
            """)
            page.settle()
            browser.driver.save_screenshot(str(HERE / "page.png"))
        finally:
            browser.quit()
    print("docs/pictures/page.png")


if __name__ == "__main__":
    main()
