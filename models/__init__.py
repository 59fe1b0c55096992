"""Whole models, each a page long: ``from gradling.models import LeNet5``.

They are made of public ``nn`` alone, to be read, copied and changed.
"""

from .gpt import GPT
from .lenet import LeNet5
from .mlp import MLPClassifier
from .resnet import BasicBlock, ResNet18
from .transformer import TransformerClassifier

__all__ = ["GPT", "BasicBlock", "LeNet5", "MLPClassifier", "ResNet18", "TransformerClassifier"]
