"""MNIST and the sets that share its format: original IDX files, gzipped or not."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .download import download
from .files import data_home, find, missing
from .idx import read_idx
from .images import ImageDataset

__all__ = ["EMNIST", "FashionMNIST", "KMNIST", "MNIST"]


class MNIST(ImageDataset):
    """70,000 handwritten digits, 28 x 28 (LeCun, Cortes and Burges, 1998).

    Args:
        root: the folder that holds the files or shall hold them, themselves or in `MNIST/` or
            `MNIST/raw/`; if left out, `$GRADLING_DATA`, else the user's cache.
        train: the 60,000 to train on, or the 10,000 to test with.
        download: fetch the files if they are not there.
        transform, target_transform: see `ImageDataset`.

    Raises:
        FileNotFoundError: no files and no `download=True`; the message says what to put where.
        ValueError: a file is corrupt or cut short, or images and labels do not belong together.
    """

    classes = [str(i) for i in range(10)]
    mirror = "https://ossci-datasets.s3.amazonaws.com/mnist/"
    # MD5 of each gzipped file, as published with the set
    files = {
        "train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c",
    }

    def __init__(
        self,
        root: str | Path | None = None,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        self.train = train
        images, labels = self._load(root, download)
        if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
            raise ValueError(
                f"{type(self).__name__}: the image file holds {images.shape}, the label file "
                f"{labels.shape}; they must be (n, height, width) and (n,). The files do not "
                "belong together"
            )
        super().__init__(images[:, None], labels, transform, target_transform)

    def _load(self, root: Any, fetch: bool) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        prefix = "train" if self.train else "t10k"
        names = [name for name in self.files if name.startswith(prefix)]
        images, labels = (read_idx(self._locate(name, names, root, fetch)) for name in names)
        return images, labels

    def _locate(self, name: str, names: list[str], root: Any, fetch: bool) -> Path:
        kind = type(self).__name__
        found = find(kind, [name, f"{name}.gz", name.replace("-idx", ".idx")], root)
        if found is None and fetch:
            target = data_home(root) / kind / "raw" / f"{name}.gz"
            found = download(f"{self.mirror}{name}.gz", target, md5=self.files[name])
        if found is None:
            urls = [f"{self.mirror}{one}.gz" for one in names]
            raise missing(kind, [f"{one}.gz" for one in names], root, urls)
        return found


class FashionMNIST(MNIST):
    """70,000 pictures of clothes, 28 x 28, in ten classes (Xiao, Rasul and Vollgraf, 2017).

    Arguments and errors are those of `MNIST`.
    """

    classes = "T-shirt/top Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Boot".split()
    classes[-1] = "Ankle boot"
    mirror = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
    files = {
        "train-images-idx3-ubyte": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte": "bb300cfdad3c16e7a12a480ee83cd310",
    }


class KMNIST(MNIST):
    """70,000 handwritten hiragana, 28 x 28, in ten classes (Clanuwat et al., 2018).

    Arguments and errors are those of `MNIST`.
    """

    classes = "o ki su tsu na ha ma ya re wo".split()
    mirror = "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"
    files = {
        "train-images-idx3-ubyte": "bdb82020997e1d708af4cf47b453dcf7",
        "train-labels-idx1-ubyte": "e144d726b3acfaa3e44228e80efcd344",
        "t10k-images-idx3-ubyte": "5c965bf0a639b31b8f53240b1b52f4d7",
        "t10k-labels-idx1-ubyte": "7320c461ea6c1c855c0b718fb2a4b134",
    }


class EMNIST(MNIST):
    """The digits of EMNIST: 280,000 of them, 28 x 28 (Cohen, Afshar, Tapson and van Schaik, 2017).

    The archive holds all of EMNIST, about 560 MB; it is read in place, not unpacked. Arguments and
    errors are those of `MNIST`, after `split`.

    Args:
        split: "digits", the only one that is supported.
    """

    mirror = "https://biometrics.nist.gov/cs_links/EMNIST/"
    archive, archive_md5 = "gzip.zip", "58c8d27c78d21e728a6bc7b3cc06412e"

    def __init__(
        self, root: str | Path | None = None, split: str = "digits", **options: Any
    ) -> None:
        if split != "digits":
            raise ValueError(f'split must be "digits", the only supported one, got {split!r}')
        super().__init__(root, **options)

    def _load(self, root: Any, fetch: bool) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        part = "train" if self.train else "test"
        names = [f"emnist-digits-{part}-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1")]
        places = [find("EMNIST", [name, f"{name}.gz"], root) for name in names]
        if all(places):
            images, labels = (read_idx(place) for place in places if place)
        else:
            images, labels = self._from_archive(names, root, fetch)
        # In these files the columns of an image come first.
        return np.ascontiguousarray(images.swapaxes(1, 2)), labels

    def _from_archive(self, names: list[str], root: Any, fetch: bool) -> Any:
        path = find("EMNIST", [self.archive], root)
        if path is None and fetch:
            target = data_home(root) / "EMNIST" / self.archive
            path = download(f"{self.mirror}{self.archive}", target, md5=self.archive_md5)
        if path is None:
            files = [f"{name}.gz" for name in names]
            raise missing("EMNIST", [self.archive, *files], root, [self.mirror + self.archive])
        try:
            with zipfile.ZipFile(path) as packed:
                arrays = []
                for name in names:
                    with packed.open(f"gzip/{name}.gz") as file:
                        arrays.append(read_idx(f"{path}/gzip/{name}.gz", file))
                return arrays
        except (zipfile.BadZipFile, KeyError) as error:
            raise ValueError(
                f"{path} is corrupt or another archive: {error}. Get it again"
            ) from None
