"""Training: the loop, metrics, checkpoints, the learning-rate finder, sweeps."""

from .callbacks import Callback, EarlyStopping
from .evaluation import evaluate, predict
from .finder import LRFinderResult, lr_find, overfit_one_batch
from .history import History
from .loop import NonFiniteLoss, fit
from .metrics import (
    F1,
    MAE,
    R2,
    RMSE,
    Accuracy,
    ConfusionMatrix,
    Metric,
    Perplexity,
    Precision,
    Recall,
    TopK,
)
from .run import Run
from .seeds import seed_everything
from .sweep import Results, sweep
from .watch import RecordBoundary, UpdateRatios

__all__ = [
    "F1",
    "MAE",
    "R2",
    "RMSE",
    "Accuracy",
    "Callback",
    "ConfusionMatrix",
    "EarlyStopping",
    "History",
    "LRFinderResult",
    "Metric",
    "NonFiniteLoss",
    "Perplexity",
    "Precision",
    "Recall",
    "RecordBoundary",
    "Results",
    "Run",
    "TopK",
    "UpdateRatios",
    "evaluate",
    "fit",
    "lr_find",
    "overfit_one_batch",
    "predict",
    "seed_everything",
    "sweep",
]
