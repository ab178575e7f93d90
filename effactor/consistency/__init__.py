"""Consistency: was what the clients saw possible?

Record a `History` of operations, then ask `linearizable` or `serializable`. Nothing here
runs anything: a check is a function of the history, and works for histories of the
simulator, of tests on a live system, and of other systems altogether.
"""

from effactor.consistency import models
from effactor.consistency.diagram import diagram
from effactor.consistency.history import History, Operation
from effactor.consistency.linearizability import Linearizability, linearizable
from effactor.consistency.model import ANYTHING, IfTold, Model
from effactor.consistency.report import Report
from effactor.consistency.search import DeadEnd
from effactor.consistency.serializability import Anomaly, Serializability, serializable
from effactor.consistency.transactions import Append

__all__ = [
    "ANYTHING",
    "Anomaly",
    "Append",
    "DeadEnd",
    "History",
    "IfTold",
    "Linearizability",
    "Model",
    "Operation",
    "Report",
    "Serializability",
    "diagram",
    "linearizable",
    "models",
    "serializable",
]
