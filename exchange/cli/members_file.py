"""The members file: what the operators agreed on, from which `exchange init` makes a signed directory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from exchange.clock import format_millis
from exchange.ids import AgencyId
from exchange.trust import PublicKey, SigningKey
from exchange.yaml_file import read_yaml

KEY_LIFE = timedelta(days=365)
DIRECTORY_LIFE = timedelta(days=30)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SubsystemPart(_Part):
    """One system of a member: what it publishes, serves and allows."""

    name: str
    topics: list[dict[str, Any]] = []
    services: list[dict[str, Any]] = []
    agreements: list[dict[str, Any]] = []


class MemberPart(_Part):
    """A member and its systems."""

    id: str
    name: str
    status: str = "active"
    subsystems: list[SubsystemPart]

    @field_validator("id")
    @classmethod
    def _is_a_member(cls, value: str) -> str:
        if AgencyId.parse(value).subsystem is not None:
            raise ValueError(f"{value!r} names a subsystem; a member is INSTANCE/CLASS/MEMBER")
        return value


class GatewayPart(_Part):
    """Who runs a gateway, and where it answers."""

    agency: str
    url: str


class AuditLogPart(_Part):
    """The transparency log's name and where it answers."""

    origin: str
    url: str


class MembersFile(_Part):
    """The whole file."""

    instance: str
    operators: list[str] = Field(min_length=1)
    threshold: int = Field(ge=1)
    registry_url: str
    audit_log: AuditLogPart
    gateways: list[GatewayPart]
    members: list[MemberPart]

    @model_validator(mode="after")
    def _enough_operators(self) -> Self:
        if self.threshold > len(self.operators):
            raise ValueError(f"threshold {self.threshold} needs as many operators; there are {len(self.operators)}")
        return self

    def agencies(self) -> list[AgencyId]:
        """Every subsystem of the file."""
        return [AgencyId.parse(f"{m.id}/{s.name}") for m in self.members for s in m.subsystems]


def read_members(path: Path, variables: Mapping[str, str]) -> MembersFile:
    """Raises SettingsError with file, line and column."""
    return read_yaml(path, MembersFile, variables)


def directory_content(
    file: MembersFile, keys: Mapping[AgencyId, PublicKey], log_key: PublicKey, now: datetime, version: int = 1
) -> dict[str, Any]:
    """The directory document of a members file and its agencies' keys, ready to be signed."""
    return {
        "instance": file.instance,
        "version": version,
        "issued": format_millis(now),
        "expires": format_millis(now + DIRECTORY_LIFE),
        "registry_url": file.registry_url,
        "audit_log": {**file.audit_log.model_dump(), "key": _key(log_key, now)},
        "gateways": [gateway.model_dump() for gateway in file.gateways],
        "members": [_member(member, keys, now) for member in file.members],
    }


def make_key(path: Path) -> SigningKey:
    """The key at `path`, made now where there is none: an interrupted command goes on where it stopped."""
    if not path.exists():
        SigningKey.generate().save(path)
    return SigningKey.load(path)


def _member(member: MemberPart, keys: Mapping[AgencyId, PublicKey], now: datetime) -> dict[str, Any]:
    subsystems = [
        {**subsystem.model_dump(), "keys": [_key(keys[AgencyId.parse(f"{member.id}/{subsystem.name}")], now)]}
        for subsystem in member.subsystems
    ]
    return {"id": member.id, "name": member.name, "status": member.status, "subsystems": subsystems}


def _key(key: PublicKey, now: datetime) -> dict[str, str]:
    return {
        "public": key.text,
        "not_before": format_millis(now - timedelta(minutes=1)),
        "not_after": format_millis(now + KEY_LIFE),
    }
