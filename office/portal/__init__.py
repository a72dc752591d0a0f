"""The web: server, routes, pages, sessions, templates, static files.

A room says what its pages are (:mod:`office.portal.page`); the portal does the rest. Everything a person does works without
script; the script makes it quicker.
"""
