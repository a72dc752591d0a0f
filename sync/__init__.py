"""sync carries journals between nodes over ZeroMQ; it is a process of its own and knows no database."""
