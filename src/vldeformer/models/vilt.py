"""The ViLT backbone: a transformer that reads word pieces and patches of pixels, no detector.

The weights are those of transformers' ``ViltModel``. Its own forward always joins text and image, finds the valid patches
with Python loops over the batch and draws surplus ones at random; here the same embeddings are computed directly, of all
patches in their order: the same input always gives the same states (a test compares both).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from transformers import ViltConfig, ViltModel

from vldeformer.inputs.batch import PhotographInput, PixelInput, TextInput, VisualInput
from vldeformer.models.backbone import Backbone, Sequence
from vldeformer.models.vilt_settings import ViltSettings


class ViltBackbone(Backbone):
    """Patches of square images of one size, or of photographs of any sizes."""

    def __init__(self, settings: ViltSettings, vocabulary_size: int, feature_width: int) -> None:
        super().__init__(settings, vocabulary_size, feature_width)
        self.hidden_size, self.cells = settings.hidden, settings.crop_size // settings.patch_size
        config = ViltConfig(
            **settings.transformer_sizes(vocabulary_size),
            image_size=settings.crop_size,
            patch_size=settings.patch_size,
            max_position_embeddings=settings.position_rows(settings.caption_tokens, 40),
            max_image_length=-1,
        )
        self.vilt = ViltModel(config)
        # transformers leaves these at zero, which makes a model trained from scratch blind to where a patch is.
        nn.init.normal_(self.vilt.embeddings.position_embeddings, std=config.initializer_range)
        nn.init.normal_(self.vilt.embeddings.cls_token, std=config.initializer_range)

    def text_sequence(self, text: TextInput) -> Sequence:
        """Words of modality 0."""
        embeddings = self.vilt.embeddings
        words = embeddings.text_embeddings(input_ids=text.ids)
        return Sequence(words + embeddings.token_type_embeddings.weight[0], text.mask)

    def visual_sequence(self, visual: VisualInput, after: TextInput | None = None) -> Sequence:
        """A [CLS] vector and all patches, modality 1; the same behind a caption and alone."""
        assert isinstance(visual, PixelInput | PhotographInput)
        embeddings = self.vilt.embeddings
        if isinstance(visual, PixelInput):
            patches = embeddings.patch_embeddings(visual.pixels).flatten(2).transpose(1, 2)
            positions, mask = (
                embeddings.position_embeddings,
                torch.ones(patches.shape[:2], dtype=torch.bool, device=patches.device),
            )
        else:
            projection = embeddings.patch_embeddings.projection
            patches = functional.linear(visual.patches, projection.weight.flatten(1), projection.bias)
            positions, mask = self._positions(visual), visual.mask
        states = torch.cat([embeddings.cls_token.expand(len(patches), -1, -1), patches], 1) + positions
        states = embeddings.dropout(states) + embeddings.token_type_embeddings.weight[1]
        return Sequence(states, functional.pad(mask, (1, 0), value=True))

    def _positions(self, visual: PhotographInput) -> Float[Tensor, "B 1+R H"]:
        """The square table of patch positions stretched over each photograph's grid; nothing where there is no patch."""
        table = self.vilt.embeddings.position_embeddings
        square = table[:, 1:].transpose(1, 2).unflatten(2, (self.cells, self.cells))
        grids, which = visual.grids.unique(dim=0, return_inverse=True)
        stretched = []
        for rows, columns in grids.tolist():
            places = functional.interpolate(square, (rows, columns), mode="bilinear", align_corners=True).flatten(2)
            stretched.append(functional.pad(places.transpose(1, 2), (0, 0, 0, visual.patches.shape[1] - rows * columns)))
        return torch.cat([table[:, :1].expand(len(which), -1, -1), torch.cat(stretched)[which]], 1)

    def encode(self, sequence: Sequence, first: int = 0, last: int | None = None) -> Sequence:
        """ViLT's layers; at their end the final layer norm."""
        states = sequence.states
        hidden = torch.where(sequence.mask, 0.0, torch.finfo(states.dtype).min)[:, None, None, :].to(states.dtype)
        for layer in self.vilt.encoder.layer[first:last]:
            (states,) = layer(states, hidden)
        return Sequence(self.vilt.layernorm(states) if last is None else states, sequence.mask)

    def summary(self, encoded: Sequence) -> Float[Tensor, "B H"]:
        """ViLT's pooler on the first position."""
        pooled: Tensor = self.vilt.pooler(encoded.states)
        return pooled

    def word_embeddings(self) -> Float[Tensor, "words H"]:
        """ViLT's word table."""
        table: Tensor = self.vilt.embeddings.text_embeddings.word_embeddings.weight
        return table
