"""Printed documents: the page of GB/T 9704-2012 as PDF/A, and the node's signature on the copy.

``office.print.sheet`` says what is printed (:class:`~office.print.sheet.Sheet`), ``office.print.press`` prints and signs it
(:func:`~office.print.press.render`, :func:`~office.print.press.sign`) and checks copies (:func:`~office.print.press.check`),
``office.print.verdict`` is what a check says; rooms import these three and nothing else of it (import-linter holds it). They are light:
WeasyPrint, pyHanko and fonttools are only imported by ``python -m office.print``, a process of its own that reads a sheet or a copy and
writes a PDF or a verdict, since they hold the interpreter's lock for long and take 150 MB.

Inside: ``measures`` has the numbers of the standard, ``lines`` breaks text on the 28 character grid, ``titles`` breaks titles
at sense, ``layout`` puts a sheet on pages (pure: sheet in, placed marks out), ``stamp`` draws seals, ``draw`` makes the PDF,
``fonts`` finds fonts and misses glyphs, ``signature`` is PAdES, ``check`` its counterpart, ``packing`` writes and reads packages of documents,
whose values (:class:`~office.print.packet.Packet`) rooms may import too.
"""
