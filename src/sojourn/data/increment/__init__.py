"""Cases that grow by day: what was read already is known by a ledger and is not read again."""
