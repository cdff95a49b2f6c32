"""A folder of pages about all stacks: what is served, where, for whom, at what cost, and whether it fits.

Pages are read from files: each is whole in itself, asks for nothing outside, and its numbers are the plans' own.
"""

from infra.website.pages import SITE, Stacks, site_files

__all__ = ["SITE", "Stacks", "site_files"]
