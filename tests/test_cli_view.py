"""The shell shows what the Python functions show."""

from __future__ import annotations

import inspect
import re
import webbrowser
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pages import contents

import regioncast as rc
from regioncast import cli

MAP = ["view", "values.tsv", "atlas_dseg.nii.gz", "-o", "map.html"]


@pytest.fixture
def run(demo_folder, capsys):
    """Run the command in the folder of the demo; return exit code, output and errors."""

    def command(*words):
        capsys.readouterr()
        code = cli.main([str(word) for word in words])
        return code, *capsys.readouterr()

    return command


def page(name="map.html"):
    return Path(name).read_text("utf-8")


def test_the_page_is_that_of_the_function(run):
    code, out, err = run(*MAP)
    assert (code, err) == (0, "")
    assert page() == rc.view("values.tsv", "atlas_dseg.nii.gz").html
    assert re.fullmatch(
        r"map\.html: 100 of 100 regions have a value, by name, 1 map, \d+ kB, \d\.\d\d s\n", out
    )


def test_an_image_is_shown_by_its_means(run):
    words = ["stat_map.nii.gz", "atlas_dseg.nii.gz", "-o", "map.html", "--resample", "labels"]
    code, out, err = run("view", *words)
    assert (code, err) == (0, "")
    assert out.startswith("map.html: mean of 100 regions, 1 map, ")
    view = rc.view("stat_map.nii.gz", "atlas_dseg.nii.gz", resample="labels")
    assert page() == view.html


def test_an_atlas_alone_is_shown_in_its_colours(run):
    code, out, err = run("view", "atlas_dseg.nii.gz", "-o", "atlas.html")
    assert (code, err) == (0, "")
    assert page("atlas.html") == rc.view("atlas_dseg.nii.gz").html
    assert out.startswith("atlas.html: Atlas: atlas_dseg.nii.gz, 100 regions, 91×109×91 voxels, ")


@pytest.mark.parametrize(
    ("words", "keywords"),
    [
        (["--title", "A <b>", "--unit", "z"], {"title": "A <b>", "unit": "z"}),
        (["--vmin", "-3", "--vmax=7.5"], {"vmin": -3, "vmax": 7.5}),
        (["--threshold", "1"], {"threshold": 1}),
        (["--cmap", "grey"], {"cmap": "grey"}),
        (["--cmap", "#ffffff,#102030"], {"cmap": ["#ffffff", "#102030"]}),
        (["--backdrop", "stat_map.nii.gz"], {"background": "stat_map.nii.gz"}),
        (["--by", "name", "--key", "name"], {"by": "name", "key": "name"}),
        (["--columns", "z"], {"columns": "z"}),
        (["--missing", "fill", "--extra", "ignore"], {"missing": "fill", "extra": "ignore"}),
    ],
    ids=str,
)  # fmt: skip
def test_each_option_does_what_its_keyword_does(run, words, keywords):
    assert run(*MAP, *words)[::2] == (0, "")
    assert page() == rc.view("values.tsv", "atlas_dseg.nii.gz", **keywords).html


def test_options_and_their_defaults_are_those_of_the_function(run):
    inputs = {"values", "parcellation"}
    wanted = {
        name: parameter.default
        for name, parameter in inspect.signature(rc.view).parameters.items()
        if name not in inputs
    }
    options = {field.name: field.default for field in fields(cli.Looking)}
    options["background"] = options.pop("backdrop")  # which is the label of no region elsewhere
    assert options == wanted
    _, out, _ = run("view", "--help")
    for field in [*fields(cli.Looking), *fields(cli.Reading)]:
        assert f"--{field.name.replace('_', '-')}" in out
    assert "--open" in out


def test_series_and_categories_are_shown(run):
    np.savetxt("series.csv", np.random.default_rng(0).random((3, 100)), delimiter=",")
    assert run("view", "series.csv", "atlas_dseg.nii.gz", "-o", "s.html", "--t-r", "2")[0] == 0
    view = rc.view("series.csv", "atlas_dseg.nii.gz", t_r=2)
    assert page("s.html") == view.html
    assert contents(view)[0]["maps"]["titles"] == ["0 s", "2 s", "4 s"]
    names = rc.load_parcellation("atlas_dseg.nii.gz").table.names
    words = pd.DataFrame({"name": names, "group": ["a", "b"] * 50})
    words.to_csv("words.tsv", sep="\t", index=False)
    words = ["view", "words.tsv", "atlas_dseg.nii.gz", "-o", "c.html", "--categories"]
    assert run(*words)[0] == 0
    assert page("c.html") == rc.view("words.tsv", "atlas_dseg.nii.gz", categories=True).html


def test_how_the_atlas_is_read_is_said(run):
    regions = pd.read_csv("atlas_dseg.tsv", sep="\t")
    regions.assign(name=[f"r{n}" for n in regions["index"]]).to_csv("other.csv", index=False)
    words = ["--background", "3", "--regions", "other.csv"]
    assert run("view", "atlas_dseg.nii.gz", "-o", "a.html", *words)[0] == 0
    atlas = rc.load_parcellation("atlas_dseg.nii.gz", "other.csv", background=3)
    assert page("a.html") == rc.view(atlas).html


def test_values_come_from_standard_input(run, monkeypatch):
    with Path("values.tsv").open(encoding="utf-8") as values:
        monkeypatch.setattr("sys.stdin", values)
        assert run("view", "-", "atlas_dseg.nii.gz", "-o", "map.html")[0] == 0
    assert page() == rc.view("values.tsv", "atlas_dseg.nii.gz", title="").html


def test_the_browser_is_opened_where_asked_for(run, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    assert run(*MAP)[0] == 0
    assert not opened
    assert run(*MAP, "--overwrite", "--open")[0] == 0
    assert opened == [Path("map.html").resolve().as_uri()]
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    code, _, err = run(*MAP, "--overwrite", "--open")
    assert code == 1
    assert "No browser was found to open map.html" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["values.tsv", "nowhere.nii.gz", "-o", "x.png"], "A page cannot be written as 'x.png'"),
        (["values.tsv", "nowhere.nii.gz", "-o", "no/x.html"], "The folder of the output"),
        (["values.tsv", "nowhere.nii.gz", "-o", "there.html"], "--overwrite"),
        (["values.tsv", "nowhere.nii.gz", "-o", "x.html"], "nowhere.nii.gz"),
        (["stat_map.nii.gz", "-o", "x.html"], "What is shown alone is an atlas"),
        (["values.tsv", "-o", "x.html"], "What is shown alone is an atlas"),
        (["stat_map.nii.gz", "atlas_dseg.nii.gz", "-o", "x.html"], "--resample labels"),
        (["atlas_dseg.nii.gz", "values.tsv", "-o", "x.html"], "VALUES come before ATLAS"),
        (["atlas_dseg.nii.gz", "-o", "x.html", "--by", "name"], "by: such options"),
        (["values.tsv", "atlas_dseg.nii.gz", "-o", "x.html", "--cmap", "nope"], "no colour map"),
        (["lh.atlas.label.gii", "-o", "x.html"], "--mesh"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_shown_is_said_and_nothing_written(run, demo_folder, words, message):
    Path("there.html").write_text("old")
    before = sorted(demo_folder.iterdir())
    code, out, err = run("view", *words)
    assert (code, out) == (1, "")
    assert message in err
    assert "unexpected" not in err
    assert sorted(demo_folder.iterdir()) == before
    assert page("there.html") == "old"


@pytest.mark.parametrize("words", [["view"], ["view", "values.tsv", "atlas_dseg.nii.gz"]])
def test_wrong_usage_exits_with_2(run, words):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert "Traceback" not in err


def test_the_demo_ends_with_its_page(run):
    code, out, err = run("demo", "made")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].endswith(" made/motor_left-vs-right.html")
    image = rc.paint("values.tsv", "atlas_dseg.nii.gz")
    view = rc.view(image, title="Left against right finger movement", unit="z")
    meta, arrays = contents(view)
    assert page("made/motor_left-vs-right.html") == view.html
    assert (meta["unit"], arrays["values"].shape) == ("z", (1, 100))
    Path("again").mkdir()
    Path("again/motor_left-vs-right.html").write_text("old")
    code, _, err = run("demo", "again")
    assert code == 1
    assert "motor_left-vs-right.html" in err
    assert len(list(Path("again").iterdir())) == 1
