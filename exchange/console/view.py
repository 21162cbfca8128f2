"""From what was scraped to what is shown: a pure function of the history and the time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from exchange.consent import DENIALS
from exchange.console.exposition import (
    CONSENT_CHANGES,
    CONSUMED,
    DEAD_LETTERS,
    GAPS,
    LOOKUPS,
    PUBLISHED,
    REFUSED,
    TREE_SIZE,
    Series,
)
from exchange.console.flow import NOTHING, UNNAMED, by_label, counts, everything, flows
from exchange.console.history import BUCKET, BUCKETS, History, Process
from exchange.console.lag import lag_rows
from exchange.console.model import (
    AgencyRow,
    Flow,
    Kind,
    OutcomeRow,
    Page,
    ProcessRow,
    RefusalRow,
    ServiceRow,
    TopicRow,
    Totals,
)

_PERMITTED = "permitted"
_STALLED = timedelta(seconds=30)
_ENDED_SHOWN = BUCKET * BUCKETS


def build_page(history: History, instance: str, at: datetime) -> Page:
    """Everything the page shows at `at`."""
    processes = history.processes()
    outcomes = _outcome_rows(processes, at)
    return Page(
        instance=instance,
        at=at,
        scraped=history.scraped,
        bucket_seconds=int(BUCKET.total_seconds()),
        notices=tuple(_notices(history, processes, at)),
        totals=_totals(processes, outcomes, at),
        topics=_topic_rows(processes, at),
        agencies=_agency_rows(processes, at),
        outcomes=outcomes,
        services=_service_rows(processes, at),
        lags=lag_rows(processes),
        refusals=_refusal_rows(processes, at),
        processes=tuple(_process_row(each, at) for each in processes if _is_shown(each, at)),
    )


def agency_of(identifier: str | None) -> str:
    """The agency of a publisher (or of a group named like one): all but the last part."""
    agency, slash, _ = (identifier or "").rpartition("/")
    return agency if slash and agency.count("/") >= 2 else UNNAMED


def kind_of(outcome: str) -> Kind:
    """Whether a lookup ended with data released, denied by the decision (spec 8), or failed on the way."""
    if outcome == _PERMITTED:
        return "permitted"
    return "denied" if outcome in DENIALS else "failed"


def _topic_rows(processes: Sequence[Process], at: datetime) -> tuple[TopicRow, ...]:
    published = flows(processes, PUBLISHED, by_label("topic"), at)
    consumed = flows(processes, CONSUMED, by_label("topic"), at)
    refused, dead, gaps = (counts(processes, metric, by_label("topic"), at) for metric in (REFUSED, DEAD_LETTERS, GAPS))
    rows = [
        TopicRow(
            topic=topic,
            published=published.get(topic, NOTHING),
            consumed=consumed.get(topic, NOTHING),
            refused=refused.get(topic, 0),
            dead_letters=dead.get(topic, 0),
            gaps=gaps.get(topic, 0),
        )
        for topic in published.keys() | consumed.keys() | refused.keys() | dead.keys() | gaps.keys()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.published.total, row.topic)))


def _agency_rows(processes: Sequence[Process], at: datetime) -> tuple[AgencyRow, ...]:
    published = flows(processes, PUBLISHED, lambda series: agency_of(series.label("publisher")), at)
    consumed = flows(processes, CONSUMED, lambda series: agency_of(series.label("group")), at)
    all_events = sum(flow.total for flow in published.values())
    rows = [
        AgencyRow(
            agency=agency,
            published=published.get(agency, NOTHING),
            consumed=consumed.get(agency, NOTHING),
            share=_share(published.get(agency, NOTHING).total, all_events),
        )
        for agency in published.keys() | consumed.keys()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.published.total, row.agency)))


def _outcome_rows(processes: Sequence[Process], at: datetime) -> tuple[OutcomeRow, ...]:
    found = flows(processes, LOOKUPS, by_label("outcome"), at)
    all_events = sum(flow.total for flow in found.values())
    rows = [
        OutcomeRow(outcome, kind_of(outcome), flow, _share(flow.total, all_events)) for outcome, flow in found.items()
    ]
    return tuple(sorted(rows, key=lambda row: (row.kind != "permitted", -row.lookups.total, row.outcome)))


def _service_rows(processes: Sequence[Process], at: datetime) -> tuple[ServiceRow, ...]:
    kinds: dict[str, dict[str, int]] = {}
    for kind in ("permitted", "denied", "failed"):
        for service, count in counts(processes, LOOKUPS, partial(_service_if, kind=kind), at).items():
            kinds.setdefault(service, {})[kind] = count
    rows = [
        ServiceRow(service, by.get("permitted", 0), by.get("denied", 0), by.get("failed", 0))
        for service, by in kinds.items()
        if service
    ]
    return tuple(sorted(rows, key=lambda row: row.service))


def _service_if(series: Series, *, kind: str) -> str:
    """The service of a lookup that ended in that way, else nothing."""
    return (series.label("service") or UNNAMED) if kind_of(series.label("outcome") or "") == kind else ""


def _refusal_rows(processes: Sequence[Process], at: datetime) -> tuple[RefusalRow, ...]:
    codes: dict[tuple[str, str], int] = {}
    for process in processes:
        for series, counter in process.counters.items():
            if series.name == REFUSED:
                place = (series.label("topic") or UNNAMED, series.label("code") or UNNAMED)
                codes[place] = codes.get(place, 0) + round(counter.total)
    return tuple(RefusalRow(topic, code, count) for (topic, code), count in sorted(codes.items()) if count)


def _totals(processes: Sequence[Process], outcomes: Sequence[OutcomeRow], at: datetime) -> Totals:
    def flow(metric: str) -> Flow:
        return flows(processes, metric, everything, at).get("", NOTHING)

    def ended(kind: Kind) -> int:
        return sum(row.lookups.total for row in outcomes if row.kind == kind)

    return Totals(
        published=flow(PUBLISHED),
        consumed=flow(CONSUMED),
        lookups=flow(LOOKUPS),
        permitted=ended("permitted"),
        denied=ended("denied"),
        failed=ended("failed"),
        refused=flow(REFUSED).total,
        dead_letters=flow(DEAD_LETTERS).total,
        gaps=flow(GAPS).total,
        lag=sum(row.lag for row in lag_rows(processes)),
        audit_entries=_tree_size(processes),
        consent_changes=flow(CONSENT_CHANGES).total,
    )


def _tree_size(processes: Sequence[Process]) -> int | None:
    sizes = [
        value
        for process in processes
        if process.latest is not None
        for series, value in process.latest.gauges.items()
        if series.name == TREE_SIZE
    ]
    return round(max(sizes)) if sizes else None


def _process_row(process: Process, at: datetime) -> ProcessRow:
    latest, up = process.latest, process.problem is None and process.answered is not None
    state = "ended" if not process.registered else "down" if not up else "not_ready" if process.not_ready else "up"
    started = latest.started if latest is not None and up else None
    return ProcessRow(
        name=process.name,
        state=state,  # type: ignore[arg-type]  # one of the four, by the line above
        since=process.since,
        reason=process.problem or process.not_ready,
        version=latest.version if latest is not None else None,
        uptime=max(0, int((at - started).total_seconds())) if started is not None else None,
        memory=latest.memory if latest is not None and up else None,
    )


def _is_shown(process: Process, at: datetime) -> bool:
    return process.registered or at - process.since <= _ENDED_SHOWN


def _notices(history: History, processes: Sequence[Process], at: datetime) -> Iterable[str]:
    if history.notice is not None:
        yield history.notice
    if history.scraped is not None and at - history.scraped > _STALLED:
        yield f"The figures are old: nothing was scraped since {history.scraped:%H:%M:%S} UTC."
    for process in processes:
        if process.latest is not None and process.latest.truncated:
            yield f"{process.name} exposes more series than are kept here: its figures are too low."


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
