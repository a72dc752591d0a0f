"""The search room (公文查询): full text in Chinese over what the rooms of a node let be found, for whoever may see it.

Words, fixed here and in the English catalogue: 查询 search, 发文字号 number, 发文机关 issuer, 文种 kind, 方向 direction (发文 outgoing, 收文
incoming), 有效性 validity (现行 in force, 未发出 not issued, 已撤回 recalled, 作废 void, 已修改 amended, 废止 repealed,
撤销 revoked, 失效 expired), 索引 index.

Used by everybody: from the box at the top of every page, from ``/api/v1/search`` and from ``yiwang search``.

The room signs nothing and keeps nothing that could not be made again. Its index stands beside the rooms' tables and follows the
journal with a cursor of its own (:mod:`office.search.index`); other rooms join by :mod:`office.frame.find`. Rights are those of the
rooms: what is matched is asked for with the asker's desk before it is shown or counted. How many there are beyond what was shown is not said.
"""
