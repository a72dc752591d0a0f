"""The directory: organs, posts, persons, appointments, nodes, certificates and the calendar, as signed entries.

``entries`` has the kinds, ``model`` the tables, ``view`` what everybody asks of them, ``tree`` who stands above whom.
"""
