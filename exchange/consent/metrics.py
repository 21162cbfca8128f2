"""What the consent parts count."""

from __future__ import annotations

from prometheus_client import Counter

DOCUMENTS_REFUSED = Counter(
    "exchange_consent_documents_refused_total",
    "Records of the consent topic that did not verify and were left out, by code",
    ["code"],
)
