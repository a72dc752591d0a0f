"""The calls room (音视频会商): people speak with and see each other, each through the media relay of their own node.

Words, fixed here and in the English catalogue: 会商 call, 发起人 chair, 参加人 people of it, 加入 join, 离开 leave, 结束 end, 共享屏幕 share
the screen.

Used by everybody of a node that has a relay (``media`` in ``node.toml``). That a call was opened, for whom, and who was there when it ended
are signed entries; voices and pictures are forwarded and kept nowhere. Who was not asked to a call cannot learn that there is one. Relays
of different nodes pass on what is wanted along the tree (:mod:`media.cascade`).
"""
