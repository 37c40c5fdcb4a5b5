"""Sealed streams: the one door to chunking, writers and readers."""

from app.crypto.chunking import ChunkPolicy, Geometry
from app.crypto.in_memory import open_bytes, seal_bytes
from app.crypto.outlet import ByteSink
from app.crypto.reader import BlobReader, read_header
from app.crypto.seekable import BlobFile
from app.crypto.source import MemorySource, PreadSource
from app.crypto.writer import BlobWriter, ByteSource, SealedFacts, seal_stream

__all__ = [
    "BlobFile",
    "BlobReader",
    "BlobWriter",
    "ByteSink",
    "ByteSource",
    "ChunkPolicy",
    "Geometry",
    "MemorySource",
    "PreadSource",
    "SealedFacts",
    "open_bytes",
    "read_header",
    "seal_bytes",
    "seal_stream",
]
