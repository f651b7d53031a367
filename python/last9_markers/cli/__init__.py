"""The program ``last9-markers``.

:mod:`.main` finds the command, :mod:`.commands` has one module for each, :mod:`.window` runs a window around a shell command,
:mod:`.shared` is what the commands have in common: the table of options, the state file, the exit codes.
"""
