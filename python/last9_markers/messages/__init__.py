"""Every text that people read: what happened, and what to do about it. Each problem gets two sentences: the cause and the remedy.

Each occasion has a module of its own, and callers load only theirs. Texts may hold values from outside; the log redacts them and
keeps each on one line.
"""
