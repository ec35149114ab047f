"""The command line: a file for each group of commands, thin over `coverslip.workflow` and `coverslip.platform`.

Modules of the client are imported inside the commands, so that `coverslip --help` need not wait for them.
"""
