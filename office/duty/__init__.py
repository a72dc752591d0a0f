"""The duty room (值班与突发事件报送): who is on duty, what was reported, and orders that are confirmed or escalated.

Words, fixed here and in the English catalogue:

- 值班表 roster: 带班领导 leader on duty, 值班员 officer on duty, 副班 stand-in; 值班日志 duty log, 交接 handover.
- 突发事件 incident; its reports: 首报 first, 续报 follow-up, 核报 verified, 终报 final. 接报 learned: from then the terms of a first report run.
- 越级上报 skip a level: the report goes to the one above the one above, and the one between is informed.
- 接收 receive: a superior's duty officer says that a report was read; 转报 pass on; 并案 merge two incidents that are one.
- 指令 order: 确认 confirm (R2); without it 电话通知 call, then 短信 message: it is escalated.

Used day and night by duty officers and leaders on duty of every node, often on a telephone. A first report waits for nobody's approval.

An incident is written by the node where it was first reported. Superiors answer with records of their own, pass it on as it is, and
hold two reports of one thing together by a merge of their own.
"""
