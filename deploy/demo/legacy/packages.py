"""Data files of installed packages, read without importing the packages.

One of them is a Django application and another reads everything with pandas as soon as it is imported;
the files alone are what we need.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from exchange.errors import SettingsError


def package_file(package: str, path: str) -> Path:
    """Where `path` of an installed package lies; raises SettingsError that says what to install."""
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec is not None else None
    found = next((Path(folder, path) for folder in folders or () if Path(folder, path).is_file()), None)
    if found is None:
        raise SettingsError(f"the demo's data are not installed: {package}/{path}; install the `demo` extra")
    return found
