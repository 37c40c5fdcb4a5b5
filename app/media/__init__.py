"""Pictures: what a file is, what it shows, and its smaller copies.

The application's process only looks at the first bytes of a file (``probe``); everything
that decodes runs in a child process without keys, files or network (``decoder``), which
``decoder_client`` starts and watches. Importing ``app.media`` loads neither.
"""
