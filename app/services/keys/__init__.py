"""The life of keys: wrapped for the vault, root keys of the installation, keys of files."""

from app.services.keys.file_keys import FileKeyService, NewFileKey, file_reference
from app.services.keys.root_keys import ROOT_NAMES, RootKey, RootKeys, RootName
from app.services.keys.vaulting import KeyVaulting

__all__ = [
    "ROOT_NAMES",
    "FileKeyService",
    "KeyVaulting",
    "NewFileKey",
    "RootKey",
    "RootKeys",
    "RootName",
    "file_reference",
]
