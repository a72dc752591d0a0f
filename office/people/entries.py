"""The kinds this room writes; they belong to the directory, which every node folds."""

from node.directory.entries import Appointed, Certified, File, Organ, Person, Post, Revoked

WRITES = (Organ, Post, Person, File, Appointed, Certified, Revoked)
"""What the verbs of this room say, each about one record of this node."""
