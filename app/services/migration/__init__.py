"""Moving in from older programs and plain folders: read there, stored here, proven, removed.

Nothing here is reached from an address of the site: the commands of ``flask encryption``
are the only callers.
"""
