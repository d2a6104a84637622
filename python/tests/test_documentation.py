"""docs/python.md and the README's Python: every example is executed, and prints what it says.

A block that needs a package which is not installed, or what such a block would have made, is skipped.
"""

import doctest
import io
import os
import pathlib
import re
import shlex
import subprocess
import sys
import warnings

import pytest

import tulle

ROOT = pathlib.Path(__file__).parents[2]
PAGES = ["README.md", "docs/python.md"]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where examples find the repository's data, and may write."""
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def blocks_of(page):
    """(line number, language, text) of each fenced block that has a language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for match in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, match.start()) + 1, match[1], match[2]


def is_runnable(text, missing):
    """Whether a block imports only what is installed, and uses nothing of a block that did not run."""
    for name in re.findall(r"^>>> (?:import|from) ([\w.]+)", text, re.MULTILINE):
        try:
            __import__(name)
        except ImportError:
            return False
    return not missing & set(re.findall(r"\w+", text))


def run_shell(text):
    """Lines that begin with $: the command, as this Python has it; the output is what the page says it is."""
    for line, expected in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", text, re.MULTILINE):
        words = shlex.split(line.partition("  #")[0])
        assert words[:3] == ["python", "-m", "tulle"], line
        done = subprocess.run(
            [sys.executable, *words[1:]],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(pathlib.Path(tulle.__file__).parents[1])},
        )
        assert done.returncode == 0, done.stderr
        assert doctest.OutputChecker().check_output(expected, done.stdout, OPTIONS), f"{line}\n{done.stdout}"


@pytest.mark.parametrize("page", PAGES)
def test_page(page, folder):
    pytest.importorskip("sklearn", minversion="1.6")
    pytest.importorskip("pandas", minversion="2.2")
    runner, parser = doctest.DocTestRunner(optionflags=OPTIONS), doctest.DocTestParser()
    variables, missing, report = {}, set(), io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for line, language, text in blocks_of(page):
            if language == "python" and ">>> " in text:
                if not is_runnable(text, missing):
                    missing |= set(re.findall(r"^>>> (\w+) = ", text, re.MULTILINE))
                    continue
                test = parser.get_doctest(text, variables, f"{page}:{line}", str(ROOT / page), line)
                runner.run(test, out=report.write, clear_globs=False)
                variables = test.globs
            elif language == "console":
                run_shell(text)
    assert runner.summarize(verbose=False).failed == 0, report.getvalue()
    assert runner.tries > 0
