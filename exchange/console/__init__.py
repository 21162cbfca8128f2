"""The operators' console: one page of throughput, decisions, lag and health, without a script."""

from exchange.console.app import build_app
from exchange.console.history import History
from exchange.console.model import Page
from exchange.console.scrape import Scraper, Targets
from exchange.console.service import ConsoleContext, ConsoleService
from exchange.console.view import build_page

__all__ = [
    "ConsoleContext",
    "ConsoleService",
    "History",
    "Page",
    "Scraper",
    "Targets",
    "build_app",
    "build_page",
]
