"""Text to learn from: a corpus of opinions made by a grammar, words and characters as numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..tensor.tensor import Tensor
from ._checks import count
from ._draws import rng
from .dataset import Dataset

Ints = npt.NDArray[np.int64]

__all__ = ["Characters", "Vocabulary", "sentiment"]

_THINGS = "film plot acting music ending cast dialogue pace script camera humour finale".split()
_GOOD = "good great lovely clever moving bright funny superb charming honest gripping warm".split()
_BAD = "bad dull clumsy boring weak silly tired awful empty cold noisy slow".split()
_DEGREES = ["", "", "very ", "really ", "rather ", "truly "]
_FRAMES = ["the {thing} was {what}", "i found the {thing} {what}", "what a {what} {thing}"]


def sentiment(
    n: int = 1000, *, seed: int | None = None, generator: Any = None
) -> tuple[list[str], Ints]:
    """Write `n` short opinions of films by a small grammar.

    Each has one or two clauses of the same verdict. About a quarter of the clauses say it through a
    negation ("not very dull"), so the order of the words matters: a net that only counts words
    cannot get every text right.

    Returns:
        the texts, lower-case words with single spaces, and the labels `(n,)` int64: 1 where the
        writer was pleased, 0 otherwise. Half of each, up to one text.

    >>> texts, labels = sentiment(4, seed=0)
    >>> len(texts), sorted(labels.tolist())
    (4, [0, 0, 1, 1])
    """
    n = count("n", n)
    random = rng(seed, generator)
    labels = random.permutation(np.arange(n, dtype=np.int64) % 2)
    return [_opinion(bool(label), random) for label in labels], labels


def _opinion(pleased: bool, random: np.random.Generator) -> str:
    clauses = [_clause(pleased, random)]
    if random.random() < 0.5:
        clauses.append(_clause(pleased, random))
    return " and ".join(clauses)


def _clause(pleased: bool, random: np.random.Generator) -> str:
    negated = random.random() < 0.25
    word = random.choice(_GOOD if pleased != negated else _BAD)
    what = f"{'not ' if negated else ''}{random.choice(_DEGREES)}{word}"
    # "what a not bad film" is no English: negations take one of the first two frames.
    frame = _FRAMES[random.integers(2 if negated else 3)]
    return frame.format(thing=random.choice(_THINGS), what=what)


class Vocabulary:
    """Words as numbers: 0 is padding, 1 a word never seen, then the words by falling count.

    Args:
        texts: what the words are taken from. Words are runs of letters, digits and apostrophes, in
            lower case; equally frequent words are ordered by the alphabet.
        least: how often a word must occur to get a number of its own.

    >>> v = Vocabulary(["a b b", "b c"], least=1)
    >>> v.words
    ['<pad>', '<unk>', 'b', 'a', 'c']
    >>> v.encode(["b a", "c z b"])
    array([[2, 3, 0],
           [4, 1, 2]])
    >>> v.decode([4, 1, 2])
    'c <unk> b'
    """

    def __init__(self, texts: Iterable[str], *, least: int = 1) -> None:
        if isinstance(texts, str):
            raise TypeError("texts must be a list of texts; got one text: put it in a list, [text]")
        least = count("least", least)
        counts = Counter(word for text in texts for word in self.split(text))
        known = [word for word, k in counts.items() if k >= least]
        known.sort(key=lambda word: (-counts[word], word))
        self.words = ["<pad>", "<unk>", *known]
        self.index = {word: i for i, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} words)"

    @staticmethod
    def split(text: str) -> list[str]:
        """Return the words of `text`."""
        return re.findall(r"[\w']+", text.lower())

    def encode(self, texts: Sequence[str], length: int | None = None) -> Ints:
        """Return `(len(texts), length)` int64, each row a text, cut or padded with 0 at its end.

        `length` is that of the longest text if left out, and at least 1.
        """
        if isinstance(texts, str):
            raise TypeError("texts must be a list of texts; got one text: put it in a list, [text]")
        rows = [[self.index.get(word, 1) for word in self.split(text)] for text in texts]
        width = max([1, *map(len, rows)]) if length is None else count("length", length)
        out = np.zeros((len(rows), width), dtype=np.int64)
        for line, row in zip(out, rows, strict=True):
            line[: len(row)] = row[:width]
        return out

    def decode(self, numbers: Iterable[int]) -> str:
        """Return the words of the numbers, padding left out."""
        return " ".join(self.words[int(i)] for i in numbers if int(i) != 0)


class Characters(Dataset[Any]):
    """Every window of a text as a pair: `block` characters, and the same shifted by one.

    Item i is `(x, y)`, both `(block,)` int64 Tensors: x holds characters i to i + block - 1 as
    numbers, y characters i + 1 to i + block, what a language model must say at each place. A batch
    costs one fancy index into the text.

    Args:
        text: any text, longer than `block`.
        block: the length of a window.
        alphabet: the characters in the order of their numbers; if left out, those of the text,
            sorted. Give that of the training text for a text to validate on.

    >>> data = Characters("hello", block=3)
    >>> len(data), data.alphabet
    (2, 'ehlo')
    >>> x, y = data[0]
    >>> data.decode(x), data.decode(y)
    ('hel', 'ell')
    """

    def __init__(self, text: str, block: int = 8, *, alphabet: str | None = None) -> None:
        self.block = count("block", block)
        if len(text) <= self.block:
            raise ValueError(
                f"text must be longer than block, got {len(text)} characters and block={block}"
            )
        self.alphabet = "".join(sorted(set(text))) if alphabet is None else alphabet
        self._index = {c: i for i, c in enumerate(self.alphabet)}
        if len(self._index) != len(self.alphabet):
            twice = next(c for c, k in Counter(self.alphabet).items() if k > 1)
            raise ValueError(f"alphabet holds {twice!r} more than once")
        self.numbers = self.encode(text)

    def __len__(self) -> int:
        return len(self.numbers) - self.block

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        n = len(self)
        if not -n <= index < n:
            raise IndexError(f"window {index} of a text that has {n}")
        start = index % n
        piece = self.numbers[start : start + self.block + 1].copy()
        return Tensor(piece[:-1]), Tensor(piece[1:])

    def take(self, indices: Ints) -> list[Any]:
        """Return the batch of the windows at `indices`: x and y, `(len(indices), block)` each."""
        starts, n = np.asarray(indices), len(self)
        if starts.size and not -n <= starts.min() <= starts.max() < n:
            raise IndexError(f"windows {starts.min()} to {starts.max()} of a text that has {n}")
        places = (starts % n)[:, None] + np.arange(self.block + 1)
        windows = self.numbers[places]
        return [Tensor(windows[:, :-1].copy()), Tensor(windows[:, 1:].copy())]

    def encode(self, text: str) -> Ints:
        """Return the characters of `text` as numbers, `(len(text),)` int64."""
        try:
            return np.array([self._index[c] for c in text], dtype=np.int64)
        except KeyError as error:
            raise ValueError(
                f"character {error.args[0]!r} is not in the alphabet {self.alphabet!r}"
            ) from None

    def decode(self, numbers: Iterable[Any]) -> str:
        """Return the text of the numbers."""
        return "".join(self.alphabet[int(i)] for i in numbers)
