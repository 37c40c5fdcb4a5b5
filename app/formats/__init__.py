"""Data set formats in and out: pure functions, one module a format, no file is opened here.

`dataset` is what they read into and write from, `losses` what they tell. The rules of numbers,
JSON, XML, text and file names are in modules of their own, so that every format has the same
limits and places. ``sidecar_*`` and `labelled_box` read label files beside plain pictures.
"""
