"""People: the address book (通信录), and what an administrator does with organs, posts, persons and their keys.

Words: an *organ* (机构) has *posts* (岗位), a post is held by *persons* (人员) through *appointments* (任职) and carries *roles*
(职能: 文书, 签发人 …). An *account* (账号) is a person's key at the home node; its *first password* (初始口令) is given by the unit's
administrator and replaced, key and all, when it is first used. Everybody reads the book; 系统管理员 keeps organs, persons and
accounts, 安全管理员 gives roles to posts and revokes certificates, 审计管理员 reads. No person is two of the three.

A *seal* (印章) of an organ is asked for (制章申请), let be made by 安全管理员 and made by 系统管理员; its *custodian* (印章管理员) keeps it, hands it
on, suspends it; 安全管理员 collects and destroys it. What is no document of the flow is sealed by application (用印申请), which the head grants;
every use is a line of the *register* (用印登记). Seals made here are test seals (测试) and say so.

The other signed kinds are the directory's: every node needs them whether or not it has this room.
"""
