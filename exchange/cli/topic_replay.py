"""`exchange topic replay`: a range of a topic again, to one group alone."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from exchange.bus import Replay, ReplayOrder, read_span, replay_start
from exchange.cli.dlq_selection import post_of, schemas_of
from exchange.cli.instance import Instance
from exchange.cli.listening import require_listening
from exchange.cli.moments import MOMENT
from exchange.cli.output import emit, note
from exchange.cli.parameters import AGENCY
from exchange.clock import to_unix_millis
from exchange.errors import SettingsError
from exchange.ids import AgencyId
from exchange.transport.http import HttpClient
from exchange.transport.kafka import Partition, PartitionConsumer

_OFFSETS = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


class _Offsets(click.ParamType[range]):
    name = "a-b"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> range:
        if isinstance(value, range):
            return value
        found = _OFFSETS.fullmatch(value)
        if found is None or int(found[1]) > int(found[2]):
            self.fail(f"{value!r}: expected A-B, the first and the last offset, e.g. 100-250", param, ctx)
        return range(int(found[1]), int(found[2]) + 1)


class _Text(click.ParamType[str]):
    """A moment as it was typed, once it is known to be one: what was typed names the replay."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        MOMENT.convert(value, param, ctx)
        return str(value)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The range as it was asked for."""

    since: str | None
    until: str | None
    partition: int | None
    offsets: range | None

    @property
    def name(self) -> str:
        """The same for the same range, as it was typed."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


@click.command()
@click.argument("topic")
@click.option("--agency", type=AGENCY, required=True, help="Whose group it is; its key is here.")
@click.option("--group", required=True, help="The one group that is to read again.")
@click.option("--from", "since", type=_Text(), help="From this broker's time on: RFC 3339, or e.g. 2h ago.")
@click.option("--to", "until", type=_Text(), help="Up to this time, it excluded; without it, up to now.")
@click.option("--partition", type=click.IntRange(0), help="With --offsets: of this partition.")
@click.option("--offsets", type=_Offsets(), help="The first and the last offset, e.g. 100-250.")
@click.option("--id", "name", default="", help="To deliver a range once more: a name to tell it from the time before.")
@click.option("--dry-run", is_flag=True, help="Count and verify; write nothing.")
@click.option("--anyway", is_flag=True, help="Also where the group's members do not read redeliveries yet.")
@click.pass_obj
def replay(
    instance: Instance,
    /,
    topic: str,
    agency: AgencyId,
    group: str,
    name: str,
    dry_run: bool,
    anyway: bool,
    **asked: Any,
) -> None:
    """Deliver a range of TOPIC again to one group alone, each record verified first.

    Interrupted, it goes on where it was when it is asked for again; what was delivered is not delivered twice.
    """
    wanted = _Asked(**asked)
    by_time = wanted.since is not None or wanted.until is not None
    if (wanted.offsets is None) != (wanted.partition is None) or (wanted.offsets is None) != by_time:
        raise SettingsError("say which records: --from and/or --to, or --partition with --offsets")
    order = ReplayOrder(topic, group, f"{name}-{wanted.name}" if name else wanted.name)
    asyncio.run(_replay(instance, agency, order, wanted, dry_run=dry_run, anyway=anyway))


async def _replay(
    instance: Instance, agency: AgencyId, order: ReplayOrder, asked: _Asked, *, dry_run: bool, anyway: bool
) -> None:
    if instance.directory().topic(order.topic) is None:
        raise SettingsError(f"topic {order.topic} is not in the directory: only events are delivered again")
    bootstrap = instance.settings.kafka.bootstrap
    await require_listening(bootstrap, agency, order.group, anyway=anyway)
    spans = await _resolve(bootstrap, order.topic, asked)
    async with HttpClient() as http:
        replay = Replay(post_of(instance, agency), schemas_of(instance, http), order)
        if dry_run:
            await _count(bootstrap, replay, order, spans)
            return
        async with replay:
            await _deliver(replay, order, spans)


async def _resolve(bootstrap: str, topic: str, asked: _Asked) -> dict[int, range]:
    """The offsets that are meant, by partition; raises SettingsError where the topic does not have them."""
    async with PartitionConsumer(bootstrap) as consumer:
        places = await consumer.partitions(topic)
        if asked.offsets is not None:
            places = [place for place in places if place.number == asked.partition]
            if not places:
                raise SettingsError(f"topic {topic} has no partition {asked.partition}")
        first, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        if asked.offsets is not None:
            [place] = places
            if asked.offsets.start < first[place] or asked.offsets.stop > ends[place]:
                raise SettingsError(f"{topic}/{place.number} has offsets {first[place]} to {ends[place] - 1} now")
            return {place.number: asked.offsets}
        begin = first if asked.since is None else await consumer.offsets_at(places, _millis(asked.since))
        stop = ends if asked.until is None else await consumer.offsets_at(places, _millis(asked.until))
    return {place.number: range(begin[place], max(begin[place], min(stop[place], ends[place]))) for place in places}


async def _count(bootstrap: str, replay: Replay, order: ReplayOrder, spans: Mapping[int, range]) -> None:
    good = bad = 0
    for partition, span in spans.items():
        async for record in read_span(bootstrap, Partition(order.topic, partition), span):
            if await replay.verifies(record):
                good += 1
            else:
                bad += 1
    emit({"topic": order.topic, "group": order.group, "would_deliver": good, "would_refuse": bad, "replay": order.id})


async def _deliver(replay: Replay, order: ReplayOrder, spans: Mapping[int, range]) -> None:
    before = progress = replay.progress or replay_start(spans)
    if before.is_done and before.spans:
        note("this replay was done before: nothing to do; to deliver the range once more, give it an --id")
    async for progress in replay.run(spans):
        note(f"{progress.copied} delivered")
    emit(
        {
            "topic": order.topic,
            "group": order.group,
            "delivered": progress.copied - before.copied,
            "refused": progress.refused - before.refused,
            "delivered_before": before.copied,
            "replay": order.id,
        }
    )


def _millis(text: str) -> int:
    return to_unix_millis(MOMENT.convert(text, None, None))
