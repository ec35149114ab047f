"""The fault suite: rounds of work during which parts of the platform are killed, cut off and starved of disk.

After each round an auditor looks at the platform from outside. `python -m faults --help` says how to run it.
"""
