"""The connection test: will a marker get through from here, and if not, what has to change?

:mod:`.connection_test` checks everything between an agent and Last9, in the order in which a marker passes it; the other modules check
one part each. If only a write to Last9 could prove something, the finding says that it is not proven. :mod:`.reading` reads back what
Last9 has stored.
"""
