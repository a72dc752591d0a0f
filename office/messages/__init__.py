"""The messages room (即时消息): what people say to each other beside documents, one to one and in groups, on every node of the tree.

Words, fixed here and in the English catalogue:

- 会话 conversation: 单聊 one to one, 群组 group with 群主 owner, 成员 members and 到期 an end, after which nothing is said in it.
- 名单 roster: who is in a group, numbered; 消息 message: said under one roster, and read by those of that roster alone.
- 移出 put out: the roster says how many of somebody's messages count; what they say beyond is marked.
- 撤回 recall: within two minutes, and that it was said stays to be seen; 已读 read.
- 保存期限 retention: days for which the pages show a message; the signed entry stays in the journal.

Used by everybody. A message is not a document: nobody is held to a term by it.

A group is written by the node of its owner, whole at each change; a message by the node of who says it. Messages of several nodes come in any
order, so nothing here depends on it: rosters are kept by number, each message says by its ``moment`` that it is later than all its author had
seen, and counts its author's messages one by one, and what somebody has read is a count for each author. After a line was cut, all nodes
show the same messages in the same order, and those that come late are unread though later ones have been read.
"""
