"""The report: one HTML page about one or several runs that opens offline, with every picture inside."""

from oleander.report.page import write

__all__ = ["write"]
