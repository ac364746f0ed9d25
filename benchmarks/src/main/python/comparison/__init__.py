"""`benchmarks/compare`: echo servers measured in turn, and what the figures say.

figures    medians, ratios of the same round, which measurements were disturbed
workloads  what is asked of a server, and which figures come of it
servers    starting them, each on its core
machine    paths, building, cores, limits, and the line that says what it all ran on
load       the load generator's run
counts     system calls, bytes and instructions per message
report     tables, CSV, JSON
command    the command line and the rounds
"""
