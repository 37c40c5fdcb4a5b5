"""Sealed streams: the one door to chunking, writer and reader."""

from app.crypto.chunking import ChunkPolicy, Geometry
from app.crypto.reader import BlobReader, MemorySource, PreadSource, open_bytes, read_header
from app.crypto.seekable import BlobFile
from app.crypto.writer import (
    BlobWriter,
    ByteSink,
    ByteSource,
    SealedFacts,
    seal_bytes,
    seal_stream,
)

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
