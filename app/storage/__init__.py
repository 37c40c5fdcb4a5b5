"""Where sealed bytes lie: object names, local disk, sidecars, the spool of uploads."""
