"""The desk room (首页): what waits for a person, from every room, and how this node's lines stand.

Words, fixed here and in the English catalogue: 待办 to do, 在办 in hand, 已办 done, 超期 overdue, 线路 line, 待发 waiting to be sent.

Used by everybody, first thing in the morning. The room keeps nothing of its own: it asks every room of the tier for
``todo(desk)``.
"""
