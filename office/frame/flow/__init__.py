"""Flow: where a matter may go and where it is.

A small room needs a table of moves (:class:`Flow`, :class:`Move`) and nothing else. What an office draws for itself is a
*template* (流程模板): steps, who does them, in what order, within which term. A *matter* (事项) is a template and the acts recorded on it;
its state is a pure fold of these, the same on every node and at every replay. A matter keeps the template it began with.

Words: *step* 环节, *way* 走向, *seat* 席位 (a step that waits for somebody), *holder* 办理人 (who may do it: a person, a post, a role in an
organ, an organ), *part* 角色 (a word of the template for holders named with the matter, such as 会签单位), *round* 轮次 (a step is done again
after a return), *fact* 事实 (what conditions are about).

| module | what for |
|---|---|
| ``template`` | what an office draws, and its digest |
| ``condition`` | conditions on ways, evaluated safely |
| ``check`` | what is wrong with a template before it is used |
| ``entries`` | the signed acts |
| ``state``, ``course`` | the state of a matter; how a token goes through a template |
| ``acts``: ``passing``, ``handing``, ``waiting`` | what each act does |
| ``matter`` | the fold of acts |
| ``offers`` | who may do what now |
| ``tables``, ``pen`` | how a room keeps matters in its own tables, and how it writes acts |
| ``terms`` | running clocks of a matter |
| ``lying`` | where matters lie and how long |
| ``migrate`` | carrying running matters to another template |
| ``drawing``, ``bpmn`` | a template drawn; its BPMN file |
"""

from office.frame.flow.moves import Flow, Move

__all__ = ["Flow", "Move"]
