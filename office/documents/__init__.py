"""The documents room (公文): how an organ issues a document and how another receives, handles and answers it.

Words, fixed here and in the English catalogue:

- 公文 document: a record born at the home node of the organ that drafts it, named by a UUIDv7.
- 拟稿 draft, 送核 submit, 核稿 review, 退回 return, 签发 sign for issue, 编号 number, 用印 seal, 核发 dispatch.
- 主送 main recipient, 抄送 copy. 信封 envelope: what leaves the organ, whole, with its number and its recipients.
- 来文 incoming: what an organ does with an envelope; a record of its own at that organ's home node.
- 签收 sign for, 登记 register, 分办 assign, 承办 handle, 阅知 read, 办理反馈 answer, 退文 send back, 办结 close.
- 撤回 recall, 更正 correct, 作废 void.
- 送达情况 matrix: recipients by receipts. R0 转发 and R1 送达 are what nodes say of a chain they hold; R2 签收, R2x 退文,
  R3 阅知, R4 办理反馈 and R5 撤回确认 are signed by persons. They are never merged into one word.

Used by drafters, reviewers, signers and seal keepers on the way out, by registry clerks (文书) and handlers on the way in.

Two records never write to each other: the envelope goes down the line, the receipts come back up the line, and each side
folds what it got. So a township that was cut off for a week has nothing to merge. Whatever may arrive in either order is
kept as facts in columns, and the state is worked out from the facts (:mod:`office.documents.workflow`).
"""
