"""A matrix: every attack against every defence, at several settings and seeds, each as a run of its own; one table.

It resumes where it stopped: a cell that is finished is never run again.
"""
