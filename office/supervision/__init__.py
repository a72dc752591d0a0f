"""The supervision room (督查): a task is given to an organ with a deadline, split among those below, reported on, reviewed and struck off.

Words, fixed here and in the English catalogue:

- 督查事项 item: 立项 open, 立项依据 basis, 牵头单位 lead organ, 节点 milestone; 状态灯 lamp (正常 on course, 临期 near, 超期 overdue).
- 签收 sign for, 分解 split, 反馈 report; 办结反馈 the report that all is done; 审核 review: 通过 accept, 退回重办 return.
- 销号 strike off, after 核查 verification: 实地核查 on the spot, 资料核查 by the papers.

Used by the supervision offices of governments (role ``supervisor``), by signers, and by the registry clerks of the organs that are to act.

A document whose recipient was urged three times in vain (催办三次) and that was handed over (转督查) is opened as an item by the issuer's
supervisor.

An item is written by the node of the organ that opened it; the lead organ answers under a record of its own. Splitting opens items of the
lead organ's own, which it oversees, and leaves it answerable for the whole: that is neither reported done nor struck off over an open part
without a reason. Items are compared with their deadlines; persons are compared with nothing.
"""
