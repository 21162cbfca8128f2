"""Whether a group would see what is brought back to it: said before anything is written."""

from __future__ import annotations

from exchange.cli.output import note
from exchange.errors import SettingsError
from exchange.ids import AgencyId
from exchange.transport.kafka import view_group


async def require_listening(bootstrap: str, agency: AgencyId, group: str, *, anyway: bool) -> None:
    """Raises SettingsError where the group does not exist, or where its members do not read redeliveries.

    Where no member runs it notes so: it is delivered when one does that reads them. With `anyway` members that do not
    read them now are taken to do so later.
    """
    view = await view_group(bootstrap, group)
    if not view.exists:
        raise SettingsError(f"Kafka knows no group {group}: see the spelling, or start it once")
    if not view.members:
        note(f"no member of {group} runs now: it is delivered when one does that reads {agency.redelivery_topic}")
    elif agency.redelivery_topic not in view.subscribed and not anyway:
        raise SettingsError(
            f"the members of {group} do not read {agency.redelivery_topic}: start them as an adapter, or with "
            "Subscriber(..., redeliveries=GroupRedeliveries(agency, group)); if they will, say --anyway"
        )
