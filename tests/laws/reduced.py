"""A quick check of all laws, for test_mutants.py: it stops at the first that does not hold.

Its exit status is `BROKEN` if one does not, and another one if anything else goes wrong.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from by_hand import stepping
from hypothesis import Phase, settings

import effactor
import effactor_interpreters
from effactor.testing import program_laws

BROKEN = 42
EXAMPLES = (5, 25)  # most mutants are noticed in the first round


def main(packages: Path) -> int:
    """Check the laws of the packages in this folder."""
    for package in (effactor, effactor_interpreters):
        assert Path(str(package.__file__)).is_relative_to(packages), package
    logging.disable()  # of what is lost; mutants lose a great deal
    settings.register_profile(
        "reduced", derandomize=True, database=None, phases=[Phase.generate], print_blob=False
    )
    settings.load_profile("reduced")
    for examples in EXAMPLES:
        for law in program_laws(stepping):
            try:
                law(examples)
            except BaseException as error:  # mutants let interrupts out
                sys.stdout.write(f"{law} ({type(error).__name__})")
                return BROKEN
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
