"""The frame of every room: the desk, move tables, to-do lists, the calendar, words, and how it all runs.

``desk``, ``flow``, ``calendar``, ``todo`` and ``words`` are plain Python, so that the ledger and the command line can load
rooms; ``local`` and ``run`` know nameko and eventlet.
"""
