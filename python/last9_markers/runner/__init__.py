"""One request, one answer.

:mod:`.serve` picks the handler of a request and gives its answer whatever happens, :mod:`.send_marker` is the handler of a marker,
:mod:`.watchdog` ends both when the time is over, :mod:`.defects` words what nobody expected.
"""
