"""Audit (审计): what was done at this node's door and pages, kept in its own chained log and read by its audit administrator.

Words: an *event* (事件) is a sign-in or its failure, a sign-out, a changed password, a look (查阅) at something, something taken out
(导出), a refusal (拒绝). The *trail* (审计日志) is all of them; *checking* (核验) it means to walk the node's own chain again from its
opening to its end.

审计管理员 reads everything of the node, and every person what concerns that person: what was done in the person's name, and who looked at
the person's page. Nobody can change it: the events are signed entries (:mod:`office.frame.trail`).
"""
