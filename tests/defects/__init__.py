"""The defects of the old SDK (`sentrial` 0.6.0), each a program that both packages run, and one judge.

``defect_NUMBER_name.py`` has: its first line, which is the row's title; ``program()``, which does what shows the defect
and returns what the program saw; ``judge(seen)``, which has a word on what the program saw and on what arrived; and
where it needs them ``scene(receiver)``, faults of the server, and ``VARIABLES`` of the environment.

``python -m defects NAME`` runs a program, with either package; ``python -m defects.side_by_side`` all with both.
"""
