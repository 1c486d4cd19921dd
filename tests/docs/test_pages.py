"""The pages that are made of facts agree with the code."""

import re
import subprocess
import sys
from pathlib import Path

import accounting_bridge as ab
from accounting_bridge import errors

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def test_the_capability_matrix_is_what_the_adapters_declare():
    """Run ``make docs`` after a change of declarations."""
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "capability_matrix.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_every_vendor_has_a_page_that_ends_in_its_quirks():
    """Documented, measured, assumed: in that order, and nothing after it."""
    for vendor in ab.vendor_names():
        headings = re.findall(r"^#+ .*$", (DOCS / "vendors" / f"{vendor}.md").read_text(), re.MULTILINE)
        assert headings[-4:] == ["## Limitations and quirks", "### Documented", "### Measured", "### Assumed"], vendor


def test_every_error_class_is_in_the_errors_page():
    """With what to do about it."""
    page = (DOCS / "errors.md").read_text()
    classes = [
        name for name, kind in {**vars(errors), **{name: getattr(ab, name) for name in ab.__all__}}.items()
        if isinstance(kind, type) and issubclass(kind, errors.BridgeError) and not name.startswith("_")
    ]  # fmt: skip
    assert [name for name in classes if f"`{name}`" not in page] == []


def test_links_between_pages_lead_somewhere():
    """Relative links point at files that exist, and anchors at headings."""
    pages = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
    dead = []
    for page in pages:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            path, _, anchor = target.partition("#")
            if "://" in target:
                continue
            there = (page.parent / path) if path else page
            if not there.exists() or (anchor and anchor not in _anchors(there)):
                dead.append(f"{page.name}: {target}")
    assert dead == []


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_glossary_has_no_dead_words():
    """Every name set in code style there is one of the package's."""
    source = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    names = re.findall(r"`([A-Za-z_.]+)`", (DOCS / "glossary.md").read_text())
    assert [name for name in names if not re.search(rf"\b{re.escape(name.rpartition('.')[2])}\b", source)] == []


def test_every_dependency_is_explained():
    """docs/dependencies.md names each one of pyproject.toml."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    rows = [*project["project"]["dependencies"]]
    for group in (*project["project"]["optional-dependencies"].values(), *project["dependency-groups"].values()):
        rows += [row for row in group if isinstance(row, str)]
    page = (DOCS / "dependencies.md").read_text()
    names = sorted({re.split(r"[\[><=;]", row)[0] for row in rows})
    assert [name for name in names if f"`{name}`" not in page] == []
