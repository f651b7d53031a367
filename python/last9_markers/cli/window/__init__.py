"""``window``: a deployment window around one command of a shell.

:mod:`.window` is the window itself, :mod:`.command` the command, :mod:`.delivery_process` the process that delivers a marker,
:mod:`.signals` what comes from outside meanwhile. While the command runs, nothing of the HTTP client is loaded and nothing is polled.
"""
