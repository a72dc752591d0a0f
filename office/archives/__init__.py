"""The archives room (档案): what an organ has done is proposed for filing, arranged, tested, lent, appraised, destroyed or handed over.

Words, fixed here and in the English catalogue: 件 item, 全宗号 fonds number, 档号 archive code, 保管期限 retention (永久 Y, 30年 D30, 10年 D10),
机构代码 section, 预归档 proposed, 归档 filed, 不归档 left out, 四性检测 four-property test (真实性 authenticity, 完整性 completeness, 可用性
usability, 安全性 safety), 借阅 loan, 冻结 hold, 鉴定 appraisal, 续存 kept on, 销毁清册 destruction list, 监销人 supervisor, 移交 hand over.

Used by registry clerks and archivists of every organ (each is a 立档单位 of its own), by its head for destruction lists, by borrowers.

The room proposes by itself: its tables fold what the documents room says has been issued or closed, and a pure rule guesses how long to
keep it and says why. From there on every act is signed. A number once given stays; nothing leaves the holdings but by an approved list
and two supervisors, or by a hand-over whose package needs none of this program to be read and checked.
"""
