"""Consent: the record, the ledger of them, and the decision that every use of personal data meets (spec 7, 8)."""

from exchange.consent.decision import (
    DENIALS,
    AccessRequest,
    ConsentView,
    Counters,
    Permit,
    decide,
    find_provider,
)
from exchange.consent.document import StoredConsent, consent_content, open_consent, parse_consent, sign_consent
from exchange.consent.ledger import Change, Changed, ConsentLedger
from exchange.consent.ports import Apply, ConsentChange, ConsentTopic, TopicDocument, Witness
from exchange.consent.record import (
    TRANSITIONS,
    ConsentKey,
    ConsentRecord,
    State,
    StateChange,
    Terms,
    change_state,
    give_consent,
    sorted_fields,
)
from exchange.consent.topic_kafka import CONSENT_TOPIC, KafkaConsentTopic, consent_topic_spec
from exchange.consent.view import VerifiedConsents

__all__ = [
    "CONSENT_TOPIC",
    "DENIALS",
    "TRANSITIONS",
    "AccessRequest",
    "Apply",
    "Change",
    "Changed",
    "ConsentChange",
    "ConsentKey",
    "ConsentLedger",
    "ConsentRecord",
    "ConsentTopic",
    "ConsentView",
    "Counters",
    "KafkaConsentTopic",
    "Permit",
    "State",
    "StateChange",
    "StoredConsent",
    "Terms",
    "TopicDocument",
    "VerifiedConsents",
    "Witness",
    "change_state",
    "consent_content",
    "consent_topic_spec",
    "decide",
    "find_provider",
    "give_consent",
    "open_consent",
    "parse_consent",
    "sign_consent",
    "sorted_fields",
]
