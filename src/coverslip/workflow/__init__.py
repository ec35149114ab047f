"""What the command line and the desktop app do alike: prepare slides, upload them, submit a run, bring its results.

Nothing here prints or asks; what happens goes to callbacks as the events of `coverslip.workflow.events`.
"""
