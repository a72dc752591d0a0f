"""Flows (流程定制): how an office draws the flows that its matters go through, tries them, publishes them, and sees where matters lie.

Words: a *template* (流程模板) has *versions* (版本); a *draft* (草稿) is a version that nobody uses yet; *publishing* (发布) makes it the one for
new matters, while running ones keep theirs until they are *moved* (换用) to it, which can be undone. A *trial* (试走) walks a made-up
matter through a draft. Whoever keeps the registry or the system draws flows; everybody may look at them, for how an office works is no secret.

The engine, the signed acts and the templates belong to :mod:`office.frame.flow`; this room keeps the matters of all rooms in tables of its own.
"""
