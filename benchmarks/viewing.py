"""Pages and figures: how large they are, how fast they are made and drawn, beside nilearn's.

What needs nilearn, matplotlib or Chromium (with its driver) is left out where that is absent, and
a line says so.
"""

from __future__ import annotations

import importlib.util
import io
import shutil
import statistics
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform
from scipy.spatial import KDTree

import regioncast as rc
from regioncast.io.surface.meshes import read_meshes
from regioncast.viewing.page import View
from regioncast.viewing.scene import Scene

from .measure import Row, side_by_side

# Of a page: seconds to make it, milliseconds until it is ready, and until another map is seen.
MADE_S, READY_MS, NEXT_MAP_MS = 0.5, 1000, 20

# So many maps are drawn one after the other, and a page is opened so often.
N_DRAWN, N_OPENED = 40, 3

# Of figures.
PIXELS, INCHES = 1000, 8

REGIONS_OF_DESIKAN, VERTICES_OF_FSAVERAGE5 = 34, 10_242

OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--no-first-run",
    "--window-size=1280,900",
)  # fmt: skip


class Page(NamedTuple):
    """A page that is measured: what it is of, its most bytes, and what makes it."""

    title: str
    at_most: int
    make: Callable[[], View]
    needs: str = ""


def pages() -> list[Page]:
    """The pages of which the bounds are."""
    return [
        Page("Schaefer-100 at 2 mm, one map", 85_000, partial(one_map, background=None)),
        Page("the same with T1", 250_000, partial(one_map, background="mni152"), "nilearn"),
        Page("1,200 × 100 float32 with T1", 900_000, series, "nilearn"),
        Page("1 mm, 796 regions, 200 maps", 1_200_000, fine_series),
        Page("Desikan-Killiany on fsaverage5", 300_000, surface, "nilearn"),
    ]


# --- what is shown --------------------------------------------------------------------------


@cache
def schaefer() -> rc.Parcellation:
    return rc.load_parcellation(rc.demo_data().atlas)


@cache
def millimetre_atlas(n_regions: int = 796) -> rc.Parcellation:
    """Return the cortex of the demo's atlas at 1 mm, cut into the cells of random points."""
    image = nib.load(rc.demo_data().atlas)
    is_cortex = (np.asanyarray(image.dataobj) > 0).astype(np.float32)
    shape = tuple(2 * n for n in is_cortex.shape)
    inside = affine_transform(is_cortex, np.full(3, 0.5), 0, shape, order=1) > 0.5
    labels = np.zeros(shape, np.int16)
    labels[inside] = cells(np.argwhere(inside), n_regions)
    affine = image.affine @ np.diag([0.5, 0.5, 0.5, 1])
    return rc.load_parcellation(nib.Nifti1Image(labels, affine))


@cache
def desikan() -> rc.Parcellation:
    """Return regions on fsaverage5, as many as Desikan and Killiany have, and a medial wall."""
    space = rc.load_parcellation(
        {side: np.ones(VERTICES_OF_FSAVERAGE5, np.int32) for side in ("left", "right")}
    ).space
    labels = {}
    for side, mesh in zip(("left", "right"), read_meshes("sphere", space).values(), strict=True):
        labels[side] = cells(mesh.coordinates, REGIONS_OF_DESIKAN + 1) - 1
    return rc.load_parcellation(labels)


def cells(points: NDArray[Any], n_cells: int) -> NDArray[np.int32]:
    """Return the number, from 1, of the nearest of some of the points."""
    chosen = np.random.default_rng(n_cells).choice(len(points), n_cells, replace=False)
    nearest: NDArray[np.int32] = KDTree(points[chosen]).query(points)[1].astype(np.int32) + 1
    return nearest


@cache
def noise(n_maps: int, n_regions: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(n_maps)
    return rng.standard_normal((n_maps, n_regions)).astype(np.float32)


def one_map(background: str | None) -> View:
    return rc.view(rc.demo_data().values, schaefer(), background=background)


def series() -> View:
    return rc.view(noise(1200, 100), schaefer(), background="mni152", t_r=0.72)


def fine_series() -> View:
    atlas = millimetre_atlas()
    return rc.view(noise(200, len(atlas)), atlas)


def surface() -> View:
    atlas = desikan()
    return rc.view(noise(1, len(atlas))[0], atlas)


# --- pages ----------------------------------------------------------------------------------


def sizes(measured: list[Page], repeats: int = 3) -> Iterator[Row]:
    """How many bytes each page has, and how long it takes to make it."""
    for page in measured:
        n_bytes = len(page.make().html.encode())
        yield Row(
            f"{page.title}: bytes / {page.at_most:,}",
            n_bytes / page.at_most,
            at_most=1,
            detail=f"{n_bytes:,} bytes",
        )
        seconds = side_by_side({"made": page.make}, repeats)["made"]
        yield Row(
            f"{page.title}: made / {MADE_S} s",
            seconds / MADE_S,
            at_most=1,
            detail=f"{seconds * 1e3:.0f} ms",
        )


def beside_nilearn(repeats: int = 3) -> Iterator[Row]:
    """The same maps as nilearn's pages show them, without names of regions."""
    for title, needs, by_nilearn, by_us in (
        ("view_img, with T1", "matplotlib", view_img, partial(one_map, background="mni152")),
        ("view_surf, one hemisphere of both", "plotly", view_surf, surface),
    ):
        if not is_there(needs):
            continue
        cases = {"theirs": by_nilearn, "ours": lambda make=by_us: make().html}
        theirs, ours = (len(case().encode()) for case in cases.values())
        yield Row(
            f"{title}: nilearn / regioncast, bytes",
            theirs / ours,
            detail=f"{theirs:,} / {ours:,}",
        )
        seconds = side_by_side(cases, repeats)
        yield Row(
            f"{title}: nilearn / regioncast, made",
            seconds["theirs"] / seconds["ours"],
            detail=f"{seconds['theirs'] * 1e3:.0f} / {seconds['ours'] * 1e3:.0f} ms",
        )


def view_img() -> str:
    from nilearn.plotting import view_img

    painted = rc.paint(rc.demo_data().values, schaefer())
    with warnings.catch_warnings():
        # Of a percentile that takes no notice of a mask.
        warnings.simplefilter("ignore", UserWarning)
        page: str = view_img(nib.Nifti1Image(np.asarray(painted.dataobj), painted.affine)).html
    return page


def view_surf() -> str:
    from nilearn.plotting import view_surf

    atlas = desikan()
    values = np.asarray(rc.paint(noise(1, len(atlas))[0], atlas).part("L"))
    left = read_meshes("pial", atlas.space)["CIFTI_STRUCTURE_CORTEX_LEFT"]
    page: str = view_surf((left.coordinates, left.faces), values).html
    return page


# --- in a browser ---------------------------------------------------------------------------


@contextmanager
def browser() -> Iterator[Any]:
    """Give a Chromium without a window."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for option in OPTIONS:
        options.add_argument(option)
    # By explicit paths, so that nothing is downloaded.
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()


def drawn(measured: list[Page], n_opened: int = N_OPENED) -> Iterator[Row]:
    """How soon each page is ready, and how soon it shows another map."""
    with TemporaryDirectory() as folder, browser() as driver:
        for number, page in enumerate(measured):
            file = page.make().save_as_html(Path(folder) / f"{number}.html")
            ready = statistics.median(opened(driver, file) for _ in range(n_opened))
            yield in_time(f"{page.title}: ready", ready, READY_MS)
            # Drawn once, so that what is compiled on the way is.
            next_map(driver, "r.drawNow()")
            if driver.execute_script("return window.regioncast.slices.length"):
                slices = next_map(driver, "for (const slice of r.slices) slice.draw();")
                yield in_time(f"{page.title}: next map, slices", slices, NEXT_MAP_MS)
            everything = next_map(driver, "r.drawNow()")
            yield in_time(f"{page.title}: next map, slices and 3D", everything, NEXT_MAP_MS)


def opened(driver: Any, file: Path) -> float:
    """Open a page; return after how many milliseconds it was ready."""
    from selenium.webdriver.support.ui import WebDriverWait

    driver.get(file.as_uri())
    is_ready = "return Boolean(window.regioncast && window.regioncast.ready)"
    WebDriverWait(driver, 30, 0.05).until(lambda _: driver.execute_script(is_ready))
    return float(driver.execute_script("return window.regioncast.timings.ready"))


def next_map(driver: Any, draw: str) -> float:
    """Return how many milliseconds another map takes: its colours, and what is drawn then."""
    return float(
        driver.execute_script(
            f"""
            const r = window.regioncast, nMaps = r.meta.maps.titles.length;
            const start = performance.now();
            for (let n = 1; n <= {N_DRAWN}; n++) {{
              r.setMap(n % nMaps);
              {draw}
            }}
            return (performance.now() - start) / {N_DRAWN};
            """
        )
    )


def in_time(title: str, milliseconds: float, at_most: float) -> Row:
    return Row(
        f"{title} / {at_most:g} ms",
        milliseconds / at_most,
        at_most=1,
        detail=f"{milliseconds:.1f} ms",
    )


# --- figures --------------------------------------------------------------------------------


def figures(repeats: int = 3) -> Iterator[Row]:
    """Figures from what is shown to a PNG of 1,000 pixels across, beside nilearn's of the same."""
    mosaic = partial(one_map, background="mni152")
    for title, kind, of, at_most, by_nilearn in (
        ("four views of fsaverage5", "surface", surface, 1, plot_surf),
        ("slices of Schaefer-100 with T1", "slices", mosaic, None, plot_img),
    ):
        cases: dict[str, Callable[[], object]] = {"ours": partial(saved, of().scene, kind)}
        if is_there("nilearn"):
            cases["theirs"] = by_nilearn
        seconds = side_by_side(cases, repeats)
        ours = seconds["ours"]
        yield Row(
            f"{title}, figure in a PNG / {MADE_S} s",
            ours / MADE_S,
            at_most=at_most,
            detail=f"{ours * 1e3:.0f} ms",
        )
        if "theirs" in seconds:
            yield Row(
                f"{title}, figure in a PNG: nilearn / regioncast",
                seconds["theirs"] / ours,
                detail=f"{seconds['theirs'] * 1e3:.0f} / {ours * 1e3:.0f} ms",
            )


def saved(scene: Scene, kind: str) -> bytes:
    from regioncast.viewing.figures import plotted

    file = io.BytesIO()
    plotted(scene, kind=kind, size=INCHES).savefig(file, format="png", dpi=PIXELS / INCHES)
    return file.getvalue()


def plot_surf() -> bytes:
    """Draw the lateral and medial views of both hemispheres by nilearn."""
    from matplotlib import pyplot as plt
    from nilearn.plotting import plot_surf_stat_map

    atlas = desikan()
    painted = rc.paint(noise(1, len(atlas))[0], atlas)
    figure, axes = plt.subplots(1, 4, subplot_kw={"projection": "3d"}, figsize=(INCHES, 2))
    sides = zip("LR", ("left", "right"), read_meshes("pial", atlas.space).values(), strict=True)
    each = iter(axes)
    for side, name, mesh in sides:
        for view in ("lateral", "medial"):
            values = np.asarray(painted.part(side))
            plot_surf_stat_map(
                (mesh.coordinates, mesh.faces),
                values,
                hemi=name,
                view=view,
                colorbar=False,
                axes=next(each),
                figure=figure,
            )
    return png_of(figure)


def plot_img() -> bytes:
    """Draw rows of slices in three directions by nilearn, on its template."""
    from matplotlib import pyplot as plt
    from nilearn.plotting import plot_stat_map

    painted = rc.paint(rc.demo_data().values, schaefer())
    volume = nib.Nifti1Image(np.asarray(painted.dataobj), painted.affine)
    figure = plt.figure(figsize=(INCHES, INCHES))
    plot_stat_map(volume, display_mode="mosaic", figure=figure)
    return png_of(figure)


def png_of(figure: Any) -> bytes:
    from matplotlib import pyplot as plt

    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=PIXELS / INCHES)
    plt.close(figure)
    return file.getvalue()


# --- all ------------------------------------------------------------------------------------


def is_there(what: str) -> bool:
    """Return whether a package or a program is there; where it is not, say what is left out."""
    programs = {"chromium": ("chromium", "chromedriver")}.get(what)
    if programs is None:
        there = not what or importlib.util.find_spec(what) is not None
    else:
        there = all(map(shutil.which, programs)) and is_there("selenium")
    if not there:
        print(f"{what} is absent: what needs it is not measured", file=sys.stderr)
    return there


def everything() -> Iterator[Row]:
    """All rows, at the sizes that the aims are about."""
    measured = [page for page in pages() if is_there(page.needs)]
    yield from sizes(measured)
    if is_there("nilearn"):
        yield from beside_nilearn()
    if is_there("matplotlib"):
        yield from figures()
    if is_there("chromium"):
        yield from drawn(measured)


def quick() -> Iterator[Row]:
    """The rows of the first page."""
    measured = pages()[:1]
    yield from sizes(measured, 1)
    if is_there("chromium"):
        yield from drawn(measured, 1)
