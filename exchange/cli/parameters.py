"""Option types of the exchange's own words."""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from typing import Any

import click

from exchange.errors import IdentifierError
from exchange.ids import AgencyId, Identifier, ServiceId

_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class _Agency(click.ParamType[AgencyId]):
    name = "agency"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> AgencyId:
        try:
            return value if isinstance(value, AgencyId) else AgencyId.parse(value)
        except IdentifierError as error:
            self.fail(error.message, param, ctx)


class _Service(click.ParamType[ServiceId]):
    name = "service"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ServiceId:
        try:
            return value if isinstance(value, ServiceId) else ServiceId.parse(value)
        except IdentifierError as error:
            self.fail(error.message, param, ctx)


class _Individual(click.ParamType[Identifier]):
    name = "scheme:value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Identifier:
        if isinstance(value, Identifier):
            return value
        text = sys.stdin.readline().strip() if value == "-" else value
        scheme, colon, number = text.partition(":")
        if not colon:
            self.fail("expected SCHEME:VALUE, e.g. uz-tin:305123456, or - to read it from stdin", param, ctx)
        try:
            return Identifier(scheme, number)
        except IdentifierError as error:
            self.fail(error.message, param, ctx)


class _Names(click.ParamType[list[str]]):
    name = "a,b,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        if isinstance(value, list):
            return value
        names = [name.strip() for name in value.split(",")]
        if not all(names):
            self.fail("expected names separated by commas", param, ctx)
        return names


class _Duration(click.ParamType[timedelta]):
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        match = _DURATION.fullmatch(value)
        if match is None:
            self.fail("expected a whole number of s, m, h or d, e.g. 90m, 24h, 7d", param, ctx)
        return timedelta(**{_UNITS[match[2]]: int(match[1])})


AGENCY = _Agency()
DURATION = _Duration()
SERVICE = _Service()
INDIVIDUAL = _Individual()
NAMES = _Names()
