"""Programs: the free monad, its nodes and combinators."""

# First of all, whichever module is wanted: the nodes in the other modules are programs,
# and methods of `Program` make them, so `program` imports them at its end.
from effactor.programs import program as program
