"""The Python face of a decomposed model: captions and images in, unit vectors out.

``load`` opens one by path or hub id. With ``transform``, ``tokenizer``, ``encode_image`` and ``encode_text`` the encoder also
keeps the contract of CLIP-like models, so that their benchmarks run on it.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, overload

import numpy as np
import PIL.Image
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from vldeformer.artifact import RECORD, whole_folder, write_json
from vldeformer.content_digest import digest
from vldeformer.data.records import Regions
from vldeformer.errors import InputError
from vldeformer.extractors.base import Extractor
from vldeformer.extractors.files import load_extractor
from vldeformer.hub.card import CARD, Saved, model_card
from vldeformer.hub.lineage import read_training
from vldeformer.hub.measured import CardResults, read_results
from vldeformer.hub.publish import check_repo_id, upload, writing_token
from vldeformer.inputs.batch import TextInput
from vldeformer.inputs.in_memory import InMemoryImage, in_memory_ids
from vldeformer.inputs.tokens import WordPieces, pad_rows
from vldeformer.models.dual import DualEncoder
from vldeformer.models.importing import WEIGHTS, files_of, load_any
from vldeformer.models.weights import ModelDescription, as_encoder, save_model
from vldeformer.retrieval.image_transform import ImageTransform
from vldeformer.retrieval.item_vectors import encode_captions, encode_images
from vldeformer.runtime import RuntimeSettings, arithmetic, find_device, this_machine
from vldeformer.stored_digests import seal

BATCH_SIZE = 64


def load(
    path_or_hub_id: str | Path,
    device: Literal["cpu", "cuda"] = "cpu",
    precision: Literal["float32", "bfloat16"] = "float32",
) -> "Encoder":
    """Load a model and decompose it if it is a joint model: the weights stay the same, the data flow changes.

    Args:
        path_or_hub_id: a model folder of this project; an Oscar or VinVL checkpoint; a ViLT, a VisualBERT or a model of
            ``push_to_hub``, as a folder or as an id of the Hugging Face hub.
        device: where the model runs.
        precision: type of matrix products; vectors are always float32.

    Returns:
        The encoder of captions and images.

    Raises:
        InputError: there is no such model, it is damaged, or the device does not exist; one line of text.

    >>> encoder = vldeformer.load(model)
    >>> encoder.encode_text(["a red ring"]).dtype
    dtype('float32')
    """
    if not isinstance(path_or_hub_id, str | Path):
        raise InputError(f"path_or_hub_id: expected a folder or a hub id, got {path_or_hub_id!r}")
    runtime = _runtime(device, precision)
    place = find_device(device)
    model, description, words = load_any(path_or_hub_id)
    folder = files_of(path_or_hub_id)
    encoder = as_encoder(model, description).to(place)
    return Encoder(encoder, description.model_copy(update={"kind": "dual"}), words, load_extractor(folder), runtime, folder)


class Encoder:
    """A decomposed model with its word pieces and its image transform.

    Attributes: ``model`` (DualEncoder, in eval mode), ``description``, ``words``, and ``transform`` (ImageTransform), which
    turns one image into a tensor and holds the extractor that travelled with a model of regions, or None. ``source``: the
    folder that it was read from, where the record of its training may lie; None: it was made otherwise.
    """

    def __init__(
        self,
        model: DualEncoder,
        description: ModelDescription,
        words: WordPieces,
        extractor: Extractor | None,
        runtime: RuntimeSettings,
        source: Path | None = None,
    ) -> None:
        self.model, self.description, self.words, self.runtime, self.source = model, description, words, runtime, source
        self.transform = ImageTransform(description, words, extractor, runtime)

    @overload
    def encode_text(self, texts: Sequence[str], batch_size: int = BATCH_SIZE) -> Float[np.ndarray, "N D"]: ...

    @overload
    def encode_text(self, texts: Tensor, batch_size: int = BATCH_SIZE) -> Tensor: ...

    def encode_text(
        self, texts: Sequence[str] | Int64[Tensor, "B T"], batch_size: int = BATCH_SIZE
    ) -> Float[np.ndarray, "N D"] | Float[Tensor, "B D"]:
        """Encode captions.

        Args:
            texts: N captions in any script, which may be empty; longer ones than the model reads are cut. Or (B, T) int64, the
                tensor of ``tokenizer``.
            batch_size: captions in one forward pass.

        Returns:
            (N, D) float32 array of unit vectors in the order of ``texts``; a tensor if ``texts`` is one.

        Raises:
            InputError: ``texts`` is a single string or has items that are not strings.

        >>> encoder.encode_text(["a red ring", "two blue stars", ""]).shape
        (3, 32)
        """
        if isinstance(texts, Tensor):
            return self._encode_tokens(texts)
        captions = _captions(texts)
        return encode_captions(self.model, captions, self.transform.reader([]), batch_size=_at_least_one(batch_size))

    def encode_images(self, images: Sequence[InMemoryImage], batch_size: int = BATCH_SIZE) -> Float[np.ndarray, "N D"]:
        """Encode images.

        Args:
            images: N PIL images of any mode, uint8 arrays (height, width, 3), or Regions. Pictures are scaled and cropped as in
                training, or given to the model's extractor.
            batch_size: images in one forward pass.

        Returns:
            (N, D) float32 array of unit vectors in the order of ``images``.

        Raises:
            InputError: an image cannot be read, or the model needs ``Regions`` and has no extractor; names its place in the list.

        >>> encoder.encode_images([PIL.Image.new("RGB", (640, 480))]).shape
        (1, 32)
        """
        given = _images(images)
        reader = self.transform.reader(given)
        return encode_images(self.model, in_memory_ids(given), reader, batch_size=_at_least_one(batch_size))

    def tokenizer(self, texts: Sequence[str]) -> Int64[Tensor, "B T"]:
        """Word pieces, padded to the longest caption that the model reads; for ``encode_text``.

        >>> encoder.tokenizer(["a red ring", ""]).shape
        torch.Size([2, 24])
        """
        most = self.description.backbone.caption_tokens
        rows = self.words.encode(_captions(texts), most)
        return torch.from_numpy(pad_rows(rows, self.words.pad, most)[0]) if rows else torch.empty((0, most), dtype=torch.int64)

    def encode_image(self, batch: Float[Tensor, "B ..."]) -> Float[Tensor, "B D"]:
        """Unit vectors of stacked results of ``transform``, on the model's device.

        >>> batch = torch.stack([encoder.transform(PIL.Image.new("RGB", (64, 64)))])
        >>> encoder.encode_image(batch).shape
        torch.Size([1, 32])
        """
        with torch.no_grad(), arithmetic(self.runtime):
            vectors: Tensor = self.model.encode_visual(self.transform.unpack(batch.to(self._device))).float()
        return vectors

    def save_pretrained(self, folder: str | Path, results: str | Path | None = None, experiment: str | None = None) -> None:
        """Write a model folder that ``load`` opens without the hub, with a model card, README.md.

        The card describes the training if the folder that the model was loaded from has a record of it.

        Args:
            folder: the folder to write.
            results: folder results/NAME of the run that measured this model, for the card; None: the card says "not evaluated".
            experiment: name of this model in that run; None: the main one.

        Raises:
            InputError: ``folder`` exists and is not a model folder, or the results are damaged.

        >>> encoder.save_pretrained(folder)
        >>> sorted(path.name for path in folder.iterdir())
        ['README.md', 'digests.json', 'encoder.json', 'model.safetensors', 'tokenizer.json']
        """
        with whole_folder(Path(folder)) as temporary:
            self._write(temporary, _results(results, experiment), None)

    def push_to_hub(
        self,
        repo_id: str,
        private: bool = False,
        token: str | None = None,
        results: str | Path | None = None,
        experiment: str | None = None,
    ) -> str:
        """Upload the model and its card to a repository of the Hugging Face hub; ``load(repo_id)`` then opens it.

        Args:
            repo_id: USER/NAME; the repository is created if necessary.
            private: whether a new repository is private.
            token: None: the token of `hf auth login` or HF_TOKEN.
            results: as in ``save_pretrained``.
            experiment: as in ``save_pretrained``.

        Returns:
            The address of the commit.

        Raises:
            InputError: there is no token or no network, or the hub refuses; one line of text.

        """
        check_repo_id(repo_id)
        measured, allowed = _results(results, experiment), writing_token(token)
        with tempfile.TemporaryDirectory(prefix="vldeformer-") as temporary:
            folder = Path(temporary) / "model"
            folder.mkdir()
            self._write(folder, measured, repo_id)
            return upload(folder, repo_id, private, allowed)

    def _write(self, folder: Path, results: CardResults | None, repo_id: str | None) -> None:
        training = read_training(self.source)  # first: the folder may be replaced by this very one
        save_model(folder, self.model, self.description, self.words)
        if self.transform.extractor is not None:
            self.transform.extractor.save(folder)
        if training is not None:
            write_json(folder / RECORD, training.model_dump(mode="json"))
        saved = Saved(
            description=self.description,
            parameters=sum(parameter.numel() for parameter in self.model.parameters()),
            width=self.model.embedding_size,
            detector=None if self.transform.extractor is None else self.transform.extractor.learned_from,
            weights_sha256=digest(folder / WEIGHTS),
        )
        (folder / CARD).write_text(model_card(saved, training, results, repo_id), encoding="utf-8")
        seal(folder)

    @property
    def _device(self) -> torch.device:
        return next(self.model.parameters()).device

    def _encode_tokens(self, ids: Int64[Tensor, "B T"]) -> Float[Tensor, "B D"]:
        most = self.description.backbone.caption_tokens
        if ids.ndim != 2 or ids.dtype != torch.int64 or not 1 <= ids.shape[1] <= most:
            came = f"{ids.dtype} of shape {tuple(ids.shape)}"
            raise InputError(f"texts: expected whole numbers of shape (captions, at most {most}) from `tokenizer`, got {came}")
        # Padding is what comes behind the last [SEP]; a caption may spell out [PAD] itself.
        places = torch.arange(1, ids.shape[1] + 1, device=ids.device)
        lengths = ((ids != self.words.pad) * places).amax(1)
        text = TextInput(ids, places <= lengths[:, None])
        with torch.no_grad(), arithmetic(self.runtime):
            vectors: Tensor = self.model.encode_text(text.to(self._device)).float()
        return vectors


def _runtime(device: str, precision: str) -> RuntimeSettings:
    for what, value, known in (("device", device, ("cpu", "cuda")), ("precision", precision, ("float32", "bfloat16"))):
        if value not in known:
            raise InputError(f"{what}: expected {' or '.join(known)}, got {value!r}")
    return this_machine().model_copy(update={"device": device, "precision": precision})


def _results(folder: str | Path | None, experiment: str | None) -> CardResults | None:
    if folder is None and experiment is not None:
        raise InputError(f"experiment {experiment!r}: expected results that it is of; give results= as well")
    return None if folder is None else read_results(Path(folder), experiment)


def _images(images: Sequence[InMemoryImage]) -> list[InMemoryImage]:
    one = isinstance(images, str | bytes | PIL.Image.Image | Regions) or (isinstance(images, np.ndarray) and images.ndim != 4)
    if one:
        raise InputError(f"images: expected a list of images, got one {type(images).__name__}; write [image] for a single one")
    return list(images)


def _captions(texts: Sequence[str]) -> list[str]:
    if isinstance(texts, str | bytes):
        raise InputError(f"texts: expected a list of captions, got one {type(texts).__name__}; write [text] for a single one")
    captions = list(texts)
    for row, text in enumerate(captions):
        if not isinstance(text, str):
            raise InputError(f"texts[{row}]: expected a caption (str), got {type(text).__name__}")
    # Half a surrogate pair, as broken JSON leaves behind, is no character that a tokenizer can read.
    return [text.encode("utf-8", "replace").decode("utf-8") for text in captions]


def _at_least_one(batch_size: int) -> int:
    if not isinstance(batch_size, int | np.integer) or batch_size < 1:
        raise InputError(f"batch_size: expected a whole number, at least 1, got {batch_size!r}")
    return batch_size
