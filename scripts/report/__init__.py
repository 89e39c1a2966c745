"""The parts of scripts/report.py: what is read (result, labels, comparisons), what is drawn (figures), the page (page)."""


class InputError(Exception):
    """A file that cannot be reported on: what, where, and what to do."""
