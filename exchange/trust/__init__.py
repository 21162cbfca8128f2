"""Keys, signed documents, and the directory that says who is who and who may do what (spec 4)."""

from exchange.trust.directory import (
    Agency,
    Agreement,
    AuditLog,
    Caps,
    Directory,
    Gateway,
    Key,
    PurposeGrant,
    ServiceEntry,
    TopicEntry,
    key_id,
)
from exchange.trust.document import document_keyids, media_type, open_document, sign_document
from exchange.trust.hsm import open_hsm
from exchange.trust.hsm_place import HsmKeyPlace, PinSource
from exchange.trust.key_files import KeyFiles
from exchange.trust.keys import PublicKey, Signer, SigningKey
from exchange.trust.rotation import KeyStore, RotatingSigner
from exchange.trust.store import DirectoryFile, Operators, load_directory, open_directory, sign_directory

__all__ = [
    "Agency",
    "Agreement",
    "AuditLog",
    "Caps",
    "Directory",
    "DirectoryFile",
    "Gateway",
    "HsmKeyPlace",
    "Key",
    "KeyFiles",
    "KeyStore",
    "Operators",
    "PinSource",
    "PublicKey",
    "PurposeGrant",
    "RotatingSigner",
    "ServiceEntry",
    "Signer",
    "SigningKey",
    "TopicEntry",
    "document_keyids",
    "key_id",
    "load_directory",
    "media_type",
    "open_directory",
    "open_document",
    "open_hsm",
    "sign_directory",
    "sign_document",
]
