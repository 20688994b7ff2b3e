"""The table of data sets on the web: where their files lie, how they are verified, and under which terms they are given.

Sizes and sha256 are those that tensorflow_datasets recorded (url_checksums/coco_captions.txt). Of Flickr8k's photographs only
an md5 is known, recorded by the R package torchvision (mlverse), and no size.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Part = Literal["annotations", "images"]
CAPTIONS_PER_IMAGE = 5  # COCO has more of some images; every published protocol takes the first five


@dataclass(frozen=True)
class WebArchive:
    """A ZIP file on the web, of which one file or folder is kept.

    ``n_bytes``: its size, None if not known; ``hash``: ``sha256:…`` or ``md5:…``; ``member``: the file, or the folder (it ends
    in ``/``), that is unpacked to ``target`` below the data set's folder; ``n_files``: how many files that folder holds.
    """

    part: Part
    url: str
    n_bytes: int | None
    hash: str
    member: str
    target: str
    n_files: int = 1


@dataclass(frozen=True)
class PublicDataset:
    """A data set in Karpathy's split: ``annotations`` and the folder ``images`` below a folder of its own.

    ``splits``: images of each split; ``form``: page of the form that must be signed for the photographs, None if they are
    among the ``archives``.
    """

    name: str
    annotations: str
    splits: Mapping[str, int]
    terms: str
    archives: tuple[WebArchive, ...]
    form: str | None = None


def _captions(member: str) -> WebArchive:
    url = "https://cs.stanford.edu/people/karpathy/deepimagesent/caption_datasets.zip"
    sha256 = "4cfd70132527b80933105e5829dc9034eaab9573482e2e680abbab6130244817"
    return WebArchive("annotations", url, 36_745_453, f"sha256:{sha256}", member, member)


def _coco_images(folder: str, n_bytes: int, sha256: str, n_files: int) -> WebArchive:
    url = f"http://images.cocodataset.org/zips/{folder}.zip"
    return WebArchive("images", url, n_bytes, f"sha256:{sha256}", f"{folder}/", f"images/{folder}", n_files)


PUBLIC_DATASETS = {
    "coco": PublicDataset(
        name="coco",
        annotations="dataset_coco.json",
        splits={"train": 113_287, "val": 5_000, "test": 5_000},
        terms=(
            "COCO 2014, https://cocodataset.org/#termsofuse: the captions are under CC BY 4.0. The photographs belong to their\n"
            "owners on Flickr and not to the COCO Consortium; who uses them must keep to Flickr's terms of use.\n"
            "Karpathy's split, https://cs.stanford.edu/people/karpathy/deepimagesent: no licence is stated."
        ),
        archives=(
            _captions("dataset_coco.json"),
            _coco_images("train2014", 13_510_573_713, "ede4087e640bddba550e090eae701092534b554b42b05ac33f0300b984b31775", 82_783),
            _coco_images("val2014", 6_645_013_297, "fe9be816052049c34717e077d9e34aa60814a55679f804cd043e3cbee3b9fde0", 40_504),
        ),
    ),
    "flickr30k": PublicDataset(
        name="flickr30k",
        annotations="dataset_flickr30k.json",
        splits={"train": 29_000, "val": 1_014, "test": 1_000},
        terms=(
            "Flickr30k, https://shannon.cs.illinois.edu/DenotationGraph: for non-commercial research and education only. The\n"
            "photographs belong to their owners on Flickr, are given on a signed form, and are not downloaded here.\n"
            "Karpathy's split, https://cs.stanford.edu/people/karpathy/deepimagesent: no licence is stated."
        ),
        archives=(_captions("dataset_flickr30k.json"),),
        form="https://forms.illinois.edu/sec/229675",
    ),
    "flickr8k": PublicDataset(
        name="flickr8k",
        annotations="dataset_flickr8k.json",
        splits={"train": 6_000, "val": 1_000, "test": 1_000},
        terms=(
            "Flickr8k: for non-commercial research and education only. The photographs belong to their owners on Flickr. The\n"
            "University of Illinois gives them on a form, https://forms.illinois.edu/sec/1713398, and asks not to pass them on;\n"
            "the archive that is downloaded here is a copy by somebody else, https://github.com/jbrownlee/Datasets.\n"
            "Karpathy's split, https://cs.stanford.edu/people/karpathy/deepimagesent: no licence is stated."
        ),
        archives=(
            _captions("dataset_flickr8k.json"),
            WebArchive(
                part="images",
                url="https://github.com/jbrownlee/Datasets/releases/download/Flickr8k/Flickr8k_Dataset.zip",
                n_bytes=None,
                hash="md5:f18a1e2920de5bd84dae7cf08ec78978",
                member="Flicker8k_Dataset/",
                target="images",
                n_files=8_091,
            ),
        ),
    ),
}
