"""The meetings room (会议): from a topic that is put forward to decisions that are carried out, and what meetings cost everybody.

Words, fixed here and in the English catalogue:

- 议题 topic: put forward by an organ (申报), vetted by the office that arranges the meeting (审核), put on an agenda (排期).
- 会议 meeting: planned (拟办), approved (审批), notified (通知), changed (改期), cancelled (取消), ended (散会), closed (办结).
- 通知 notice and its round (轮次): every change of time begins a new round, and replies to former rounds are void.
- 回执 reply: who comes (参会), who asks for leave (请假), who comes instead (替会). A superior who collects (汇总) the replies of those
  under it sends one list up. The arranging organ grants or declines leave.
- 座次 seating, 签到 attendance by code (签到码), 纪要 minutes, 议定事项 decisions, 落实 carried out.
- 减负台账 burden counter: meetings and hours, this year against last.

Used by meeting clerks and registry clerks of every organ, signers who approve, leaders who come.

A meeting is written by its home node alone. Replies are records of those who give them: a township's goes to its county, which sends
all of them up as one list; each is kept by (round, time), so that it does not matter which way or how often it comes.
"""
