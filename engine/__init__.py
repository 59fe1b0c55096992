"""Numbers that remember how they were made, the table of ops, and backward over their graph."""

from . import rows as _rows  # fills the table
from .modes import (
    detect_anomaly,
    enable_grad,
    inference_mode,
    is_anomaly_enabled,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_detect_anomaly,
    set_grad_enabled,
)
from .op import TABLE, Domain, Op, Pin
from .sums import weighted_sum
from .value import Value
from .walk import backward, grad, history

del _rows

__all__ = [
    "TABLE",
    "Domain",
    "Op",
    "Pin",
    "Value",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "history",
    "inference_mode",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
    "weighted_sum",
]
