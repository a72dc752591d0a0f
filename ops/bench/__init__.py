"""What the program costs, measured on real processes: ``python -m ops.bench`` prints one JSON object a line.

``papers`` makes the documents, ``fleet`` the nodes, ``meter`` reads what they use; each other module measures one thing. ``peers`` has
other programs do the same work in the same run, because figures of different days and machines do not compare.
``docs/measured.md`` says what came out.
"""
