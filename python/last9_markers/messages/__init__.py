"""Every text that people get to read: what happened, and what to do about it. One problem is one sentence pair.

A module for each occasion; whoever speaks loads its own. Texts may hold values from outside; the log redacts them and keeps them on
one line.
"""
