"""Data sets, and the loader that gives them in batches."""

from __future__ import annotations

from . import transforms
from .cifar import CIFAR10
from .collate import default_collate, default_convert
from .dataset import (
    ConcatDataset,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    random_split,
)
from .digits import digits
from .generated import (
    blobs,
    checkerboard,
    circles,
    gaussian_quantiles,
    moons,
    noisy_moons,
    spirals,
    xor,
)
from .idx import read_idx
from .images import ImageDataset
from .loader import DataLoader
from .mnist import EMNIST, KMNIST, MNIST, FashionMNIST
from .regression import friedman, hills, linear, polynomial, sines
from .sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from .text import Characters, Vocabulary, sentiment
from .workers import WorkerInfo, get_worker_info

__all__ = [
    "BatchSampler",
    "CIFAR10",
    "Characters",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "EMNIST",
    "FashionMNIST",
    "ImageDataset",
    "IterableDataset",
    "KMNIST",
    "MNIST",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "Vocabulary",
    "WeightedRandomSampler",
    "WorkerInfo",
    "blobs",
    "checkerboard",
    "circles",
    "default_collate",
    "default_convert",
    "digits",
    "friedman",
    "gaussian_quantiles",
    "get_worker_info",
    "hills",
    "linear",
    "moons",
    "noisy_moons",
    "polynomial",
    "random_split",
    "read_idx",
    "sentiment",
    "sines",
    "spirals",
    "transforms",
    "xor",
]
