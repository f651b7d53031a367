"""What every command of ``last9-markers`` but ``step`` has in common.

:mod:`.options` is the table of options, :mod:`.parsing` reads arguments by it, :mod:`.invocation` makes a request and its surroundings of
them, :mod:`.connection` settles where a marker goes, :mod:`.exits` says what each exit code means. ``step`` loads nothing of this: it runs
before and after every deploy.
"""
