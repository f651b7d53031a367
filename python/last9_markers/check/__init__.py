"""The connection test: will a marker get through from here, and if not, what has to change?

:mod:`.connection_test` goes through everything that stands between an agent and Last9, in the order in which a marker meets it; the
other modules look at one part each. What cannot be known without writing to Last9 is said to be unproven, not guessed. What Last9 has
stored is read back by :mod:`.reading`.
"""
