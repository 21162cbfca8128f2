"""Settings: one frozen class a process, from `exchange.yaml` in the instance's home, then the environment.

`EXCHANGE_<SECTION>_<NAME>` overrides `<section>: {<name>: …}`. A wrong setting stops the process at start with
its name, its value and what would be right.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from exchange.errors import SettingsError
from exchange.ids import AgencyId
from exchange.yaml_file import read_yaml

FILE_NAME = "exchange.yaml"

_BY_NAME = ("variables", "keys")  # sections whose names are the writer's own: no variable can stand for one


def _listen(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not (host and colon and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"{value!r} is not HOST:PORT")
    return value


def _bootstrap(value: str) -> str:
    for address in value.split(","):
        _listen(address)
    return value


def _agency(value: str) -> str:
    if AgencyId.parse(value).subsystem is None:
        raise ValueError(f"{value!r} names no subsystem")
    return value


Listen = Annotated[str, AfterValidator(_listen)]
Bootstrap = Annotated[str, AfterValidator(_bootstrap)]
AgencyText = Annotated[str, AfterValidator(_agency)]


class Section(BaseModel):
    """What all sections share: frozen, and unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaSettings(Section):
    """Where Kafka is, and how `exchange up` starts its single node."""

    bootstrap: Bootstrap = Field("127.0.0.1:9092", description="HOST:PORT of a broker, or of several: HOST:PORT,…")
    libs: Path = Field(Path(".cache/kafka-4.2.0"), description="folder of Kafka's jars (`make kafka`)")
    replication: int = Field(1, ge=1, description="copies of each topic that `exchange up topics` creates")
    heap_mib: int = Field(512, ge=256, description="heap of the single node, MiB")


class RegistrySettings(Section):
    """`exchange registry`."""

    listen: Listen = Field("127.0.0.1:8081", description="HOST:PORT it serves")
    url: str = Field("", description="where other replicas reach it; its `listen` address unless told")
    open: bool = Field(False, description="accept unsigned writes: development only")
    lint: Literal["off", "warn", "refuse"] = Field("warn", description="what becomes of schemas against house rules")

    @property
    def own_url(self) -> str:
        """Where other replicas reach this one."""
        return self.url or f"http://{self.listen}"


class GatewaySettings(Section):
    """`exchange gateway`."""

    listen: Listen = Field("127.0.0.1:8640", description="HOST:PORT it serves")
    agency: AgencyText = Field("UZ/GOV/egov/gateway", description="whose gateway it is: it signs with its key")
    consent_stale_seconds: float = Field(5.0, gt=0, description="age of the consent view after which it denies, s")
    provider_timeout_seconds: float = Field(10.0, gt=0, description="how long a provider may take, s")


class AuditSettings(Section):
    """`exchange audit`."""

    listen: Listen = Field("127.0.0.1:8650", description="HOST:PORT it serves")
    checkpoint_seconds: float = Field(1.0, gt=0, description="time between checkpoints while there is something new, s")


class ConsoleSettings(Section):
    """`exchange console`."""

    listen: Listen = Field("127.0.0.1:8660", description="HOST:PORT it serves")
    refresh_seconds: int = Field(5, ge=1, description="how often the page loads itself anew, s")
    targets: dict[str, str] = Field({}, description="name: URL of processes that `exchange up` did not start")


class AdapterSettings(Section):
    """`exchange adapter run FILE`."""

    metrics_listen: Listen | None = Field(None, description="HOST:PORT of metrics and health; a free port when empty")


class Pkcs11Settings(Section):
    """A key in an HSM; its PIN is in a file or in a variable of the environment, never here."""

    module: Path = Field(description="the HSM's own PKCS#11 library (.so)")
    token: str = Field(min_length=1, description="the token's label")
    label: str = Field(min_length=1, description="label of the key pair; several pairs of one label are a rotation")
    id: str | None = Field(
        None, pattern=r"^([0-9a-fA-F]{2}){1,64}$", description="CKA_ID, where the label is not enough"
    )
    pin_file: Path | None = Field(None, description="file whose first line is the token's PIN")
    pin_variable: str | None = Field(None, min_length=1, description="variable of the environment that holds the PIN")

    @model_validator(mode="after")
    def _one_pin(self) -> Self:
        if (self.pin_file is None) == (self.pin_variable is None):
            raise ValueError("give one of pin_file and pin_variable: where the token's PIN is")
        return self


class KeySettings(Section):
    """Where an agency's signing key is, when that is not its file in the instance's home."""

    file: Path | None = Field(None, description="a PKCS#8 file; a rotation adds files beside it")
    pkcs11: Pkcs11Settings | None = Field(None, description="a key in an HSM")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.file is None) == (self.pkcs11 is None):
            raise ValueError("give one of file and pkcs11: where the agency's key is")
        return self


class Settings(Section):
    """Every section of one instance, and its home folder."""

    root: Path = Field(Path(), description="folder that paths inside adapter files start from")
    adapters: tuple[Path, ...] = Field((), description="adapter files that `exchange up` runs")
    variables: dict[str, str] = Field({}, description="values of ${NAME} in adapter files")
    keys: dict[AgencyText, KeySettings] = Field({}, description="agency: where its key is, unless in its file here")
    development: bool = Field(False, description="programs may read events unverified; never in production")
    instance: str = Field("UZ", pattern=r"^[A-Z][A-Z0-9-]{1,15}$", description="name of the instance")
    kafka: KafkaSettings = KafkaSettings()
    registry: RegistrySettings = RegistrySettings()
    gateway: GatewaySettings = GatewaySettings()
    audit: AuditSettings = AuditSettings()
    console: ConsoleSettings = ConsoleSettings()
    adapter: AdapterSettings = AdapterSettings()


def load_settings(home: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """The instance's settings; raises SettingsError naming the setting, its value and what would be right."""
    variables = os.environ if environment is None else environment
    path = home / FILE_NAME
    if not path.exists():
        raise SettingsError(f"{path}: no such file; `exchange --home {home} init` creates an instance there")
    settings = read_yaml(path, Settings, variables)
    return _override(settings, variables)


def _override(settings: Settings, variables: Mapping[str, str]) -> Settings:
    content = settings.model_dump()
    for section, name, variable in _variables(content):
        if variable in variables:
            content[section][name] = variables[variable]
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        variable = "EXCHANGE_" + "_".join(str(part).upper() for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{variable} = {first['input']!r}: {reason}") from None


def _variables(content: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (section, name, f"EXCHANGE_{section}_{name}".upper())
        for section, values in content.items()
        if isinstance(values, dict) and section not in _BY_NAME
        for name in values
    ]
