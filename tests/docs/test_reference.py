"""The reference pages are generated from the code, and say what it says."""

import pytest

from docs.generate import FOLDER, pages


@pytest.mark.parametrize("name", ["cli.md", "settings.md", "metrics.md", "errors.md"])
def test_a_reference_page_is_what_the_code_says(name):
    """Command line, settings, metrics and errors are documented as they are; `make docs` brings them up to date."""
    assert (FOLDER / name).read_text(encoding="utf-8") == pages()[name]
