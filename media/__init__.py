"""The media relay of a node: voices and pictures between browsers, forwarded without being decoded.

The map: ``transport`` (one UDP port, ICE-lite, DTLS and SRTP; the only file that touches private names of aiortc), ``sdp`` (offers and
answers as text), ``rtp`` (headers), ``source`` (one stream that comes), ``sink`` (one stream that goes), ``room`` (who sends what to whom),
``speaker`` (who is heard), ``relay`` (requests of the portal), ``api`` (its loopback door and the process), ``crowd`` (people without browsers,
for measuring). Nothing here knows offices: what a person may do is in a ticket (:mod:`node.tickets`).
"""
