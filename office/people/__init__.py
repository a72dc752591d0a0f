"""People: the address book (通信录), and what an administrator does with organs, posts, persons and their keys.

Words: an *organ* (机构) has *posts* (岗位), a post is held by *persons* (人员) through *appointments* (任职) and carries *roles*
(职能: 文书, 签发人 …). An *account* (账号) is a person's key at the home node; its *first password* (初始口令) is given by the unit's
administrator and replaced, key and all, when it is first used. Everybody reads the book; 系统管理员 keeps organs, persons and
accounts, 安全管理员 gives roles to posts and revokes certificates, 审计管理员 reads. No person is two of the three.

The signed kinds are the directory's: every node needs them whether or not it has this room.
"""
