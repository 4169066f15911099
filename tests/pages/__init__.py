"""The pages of the documentation, and the Python in them as programs.

A page's blocks stand in one program, from the top of the page to its end: what one defines, the next may use. `uses.py`
has what a page takes for granted (a search, a server), and what makes a block do something that only defines it;
`leaves.py` has the sessions that each block leaves.
"""

from pages.blocks import PAGES, ROOT, blocks_of, program_of
from pages.leaves import LEAVES

__all__ = ["LEAVES", "PAGES", "ROOT", "blocks_of", "program_of"]
