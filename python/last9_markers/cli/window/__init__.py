"""``window``: a deployment window around one command of a shell.

:mod:`.window` is the window itself, :mod:`.command` the command, :mod:`.delivery_process` the process that delivers a marker,
:mod:`.signals` the signals from outside. While the command runs, the HTTP client is not loaded and nothing is polled.
"""
