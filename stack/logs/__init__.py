"""`make logs`: the lines of all parts as one log, in the order of time.

Stages: files.py reads lines → times.py and entries.py give each its time → search.py keeps one task's, or
follow.py waits for more → view.py prints.
"""
