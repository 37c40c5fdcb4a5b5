"""The life of keys: wrapped for the vault, root keys of the installation, keys of files."""

from app.services.keys.file_keys import FileKeyService, NewFileKey, file_reference
from app.services.keys.key_rows import KeyRows
from app.services.keys.keying import Keying, KeyMode, kek_reference
from app.services.keys.local_wrapper import LocalKeyWrapper
from app.services.keys.root_keys import ROOT_NAMES, RootKey, RootKeys, RootName
from app.services.keys.vaulting import KeyVaulting
from app.services.keys.wrapped_dek import Envelope

__all__ = [
    "ROOT_NAMES",
    "Envelope",
    "FileKeyService",
    "KeyMode",
    "KeyRows",
    "KeyVaulting",
    "Keying",
    "LocalKeyWrapper",
    "NewFileKey",
    "RootKey",
    "RootKeys",
    "RootName",
    "file_reference",
    "kek_reference",
]
