"""A run as one HTML file that needs nothing else: no network, no server, no other file."""

from .page import report_page

__all__ = ["report_page"]
