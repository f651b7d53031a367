"""Parts that all commands of ``last9-markers`` except ``step`` share.

:mod:`.options` is the table of options, :mod:`.parsing` reads arguments by it, :mod:`.invocation` makes request and context from them,
:mod:`.connection` decides where a marker goes, :mod:`.state` and :mod:`.state_entry` keep open windows and pending markers,
:mod:`.exit_codes` says what each exit code means. ``step`` loads none of them: it runs before and after every deploy.
"""
