"""The network room (网络运行): how this node and the lines of its tree stand, what is wrong, why, and what mends it.

Words, fixed here and in the English catalogue: 线路 line, 节点 node, 告警 alarm, 分叉 fork, 检查点 checkpoint, 待发 waiting to be sent.

Used by the node's three administrators (系统, 安全, 审计). The room keeps nothing of its own: it shows what ``yiwang status`` answers, and a
fork is settled here by the same entry that ``yiwang trust settle`` writes. Nothing is inferred of a node that is not heard.
"""
