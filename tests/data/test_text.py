"""Text as data: the corpus of opinions, words and characters as numbers."""

from __future__ import annotations

import numpy as np
import pytest

import gradling
from gradling.data import Characters, DataLoader, Vocabulary, sentiment

GOOD = set(
    "good great lovely clever moving bright funny superb charming honest gripping warm".split()
)


def test_opinions_mean_their_label() -> None:
    texts, labels = sentiment(400, seed=0)
    assert len(texts) == len(labels) == 400 and labels.sum() == 200
    for text, label in zip(texts, labels, strict=True):
        for clause in text.split(" and "):
            words = clause.split()
            assert (bool(GOOD & set(words)) != ("not" in words)) == bool(label), text
    negated = sum("not" in text.split() for text in texts)
    assert 100 < negated < 240
    assert texts == sentiment(400, seed=0)[0] and texts != sentiment(400, seed=1)[0]


def test_words_come_back() -> None:
    texts, _ = sentiment(100, seed=0)
    vocabulary = Vocabulary(texts)
    rows = vocabulary.encode(texts)
    assert rows.shape == (100, max(len(t.split()) for t in texts)) and rows.dtype == np.int64
    assert [vocabulary.decode(row) for row in rows] == texts
    assert vocabulary.encode(["zzz"]).tolist() == [[1]]
    assert vocabulary.encode(["good good good"], length=2).shape == (1, 2)
    assert vocabulary.encode([]).shape == (0, 1)
    counts = [sum(t.split().count(w) for t in texts) for w in vocabulary.words[2:]]
    assert counts == sorted(counts, reverse=True)
    assert len(Vocabulary(["a a b"], least=2)) == 3


def test_one_text_is_not_a_list_of_texts() -> None:
    with pytest.raises(TypeError, match=r"put it in a list, \[text\]"):
        Vocabulary("a b")
    with pytest.raises(TypeError, match=r"put it in a list, \[text\]"):
        Vocabulary(["a b"]).encode("a b")


def test_windows_of_characters() -> None:
    text = "to be, or not to be"
    windows = Characters(text, block=4)
    assert len(windows) == len(text) - 4
    pairs = list(windows)  # type: ignore[call-overload]
    for i, (x, y) in enumerate(pairs):
        assert windows.decode(x) == text[i : i + 4] and windows.decode(y) == text[i + 1 : i + 5]
    x, y = next(iter(DataLoader(windows, batch_size=len(windows))))
    assert x.shape == y.shape == (len(windows), 4) and x.dtype == gradling.int64
    assert all((x[i].numpy() == pair[0].numpy()).all() for i, pair in enumerate(pairs))
    assert windows[-1][0].tolist() == pairs[-1][0].tolist()
    held_out = Characters("not to be", block=2, alphabet=windows.alphabet)
    assert held_out.decode(held_out.numbers) == "not to be"


def test_bad_texts() -> None:
    with pytest.raises(ValueError, match="longer than block, got 4 characters and block=4"):
        Characters("four", block=4)
    with pytest.raises(ValueError, match="character 'z' is not in the alphabet 'ab'"):
        Characters("abz", block=1, alphabet="ab")
    with pytest.raises(ValueError, match="holds 'a' more than once"):
        Characters("aab", block=1, alphabet="aba")
    with pytest.raises(IndexError, match="window 3 of a text that has 3"):
        Characters("abcd", block=1)[3]
