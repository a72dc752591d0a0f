"""A node keeps signed journals, keys, a directory and settings.

Everything here is plain blocking Python: no event loop, no web, no sockets to other machines.
Offices read and write the journals through :mod:`node.client`; the one writer is :mod:`node.ledger`.
"""
