"""What every command of ``last9-markers`` but ``step`` has in common.

:mod:`.options` is the table of options, :mod:`.parsing` reads arguments by it, :mod:`.invocation` makes a request and its context of them,
:mod:`.connection` settles where a marker goes, :mod:`.state` and :mod:`.state_entry` keep what is open and undelivered,
:mod:`.exit_codes` says what each exit code means. ``step`` loads nothing of this: it runs before and after every deploy.
"""
