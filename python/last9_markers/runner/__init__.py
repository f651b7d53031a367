"""One request, one answer.

:mod:`.serve` picks the handler of a request and always gives an answer, :mod:`.send_marker` is the handler of a marker,
:mod:`.watchdog` ends both when the time is over, :mod:`.defects` describes unexpected errors.
"""
