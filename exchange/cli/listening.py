"""Whether a group would see what is brought back to it: said before anything is written."""

from __future__ import annotations

from exchange.cli.output import note
from exchange.errors import SettingsError
from exchange.ids import AgencyId
from exchange.transport.kafka import view_group


async def require_listening(bootstrap: str, agency: AgencyId, group: str, *, anyway: bool) -> None:
    """Raises SettingsError unless the group exists and reads its agency's redeliveries; notes where no member runs.

    With `anyway` a group that is there is taken at the user's word.
    """
    view = await view_group(bootstrap, group)
    if not view.exists:
        raise SettingsError(f"Kafka knows no group {group}: see the spelling, or start it once")
    if view.reads(agency.redelivery_topic):
        if not view.members:
            note(f"no member of {group} runs now: it is delivered when one does")
        return
    if not anyway:
        raise SettingsError(
            f"group {group} does not read {agency.redelivery_topic}: start an adapter, or a Subscriber with "
            "redeliveries=GroupRedeliveries(agency, group); if it will, say --anyway"
        )
