"""What the released code computes from an Oscar checkpoint, one item at a time from the tensors by their published names."""

import math

import torch
from torch.nn.functional import gelu, layer_norm, linear, softmax


class ReleasedOscar:
    """``pieces``: word → its number in vocab.txt; texts are split at blanks, so that a text's words must be in it."""

    def __init__(self, tensors, heads, pieces, caption_tokens=35, tag_tokens=35, regions=70, joint_tokens=70):
        self.tensors, self.heads, self.pieces = tensors, heads, pieces
        self.caption_tokens, self.tag_tokens, self.regions, self.joint_tokens = caption_tokens, tag_tokens, regions, joint_tokens

    def of_text(self, text):
        tokens = [*["[CLS]", *text.split()][: self.caption_tokens - 1], "[SEP]"]
        return self._mean(*self._words(tokens, 0, self.caption_tokens))

    def of_image(self, features, tags):
        tokens = [*["[CLS]", *" ".join(tags).split()][: self.tag_tokens - 1], "[SEP]"]
        return self._mean(*self._with_regions(*self._words(tokens, 1, self.tag_tokens), features))

    def logits(self, text, features, tags):
        caption = [*["[CLS]", *text.split()][: self.joint_tokens - 1], "[SEP]"]
        room = self.joint_tokens - len(caption) - 1
        tokens = [*caption, *(" ".join(tags).split()[:room]), "[SEP]"] if room >= 0 else caption
        states, mask = self._words(tokens, 0, self.joint_tokens, segment_1_from=len(caption))
        encoded = self._encode(*self._with_regions(states, mask, features))
        return self._linear("classifier", torch.tanh(self._linear("bert.pooler.dense", encoded[0])))

    def _words(self, tokens, segment, width, segment_1_from=None):
        states = torch.zeros(width, self.tensors["bert.embeddings.LayerNorm.weight"].shape[0])
        for place in range(width):
            there = place < len(tokens)
            number = self.pieces.get(tokens[place], self.pieces["[UNK]"]) if there else 0
            kind = 0 if not there else segment if segment_1_from is None else int(place >= segment_1_from)
            total = self.tensors["bert.embeddings.word_embeddings.weight"][number]
            total = total + self.tensors["bert.embeddings.position_embeddings.weight"][place]
            total = total + self.tensors["bert.embeddings.token_type_embeddings.weight"][kind]
            states[place] = self._norm("bert.embeddings.LayerNorm", total)
        return states, torch.arange(width) < len(tokens)

    def _with_regions(self, states, mask, features):
        given = torch.zeros(self.regions, features.shape[1])
        count = min(len(features), self.regions)
        given[:count] = features[:count]
        regions = self._linear("bert.img_embedding", given)
        if "bert.LayerNorm.weight" in self.tensors:
            regions = self._norm("bert.LayerNorm", regions)
        return torch.cat([states, regions]), torch.cat([mask, torch.arange(self.regions) < count])

    def _encode(self, states, mask):
        hidden = states.shape[1] // self.heads
        layers = 1 + max(int(name.split(".")[3]) for name in self.tensors if name.startswith("bert.encoder.layer."))
        for start in (f"bert.encoder.layer.{layer}" for layer in range(layers)):
            query, key, value = (
                self._linear(f"{start}.attention.self.{name}", states).view(-1, self.heads, hidden).transpose(0, 1)
                for name in ("query", "key", "value")
            )
            weights = query @ key.transpose(1, 2) / math.sqrt(hidden) + torch.where(mask, 0.0, -10000.0)
            context = (softmax(weights, -1) @ value).transpose(0, 1).flatten(1)
            attended = self._linear(f"{start}.attention.output.dense", context)
            states = self._norm(f"{start}.attention.output.LayerNorm", attended + states)
            inner = self._linear(f"{start}.output.dense", gelu(self._linear(f"{start}.intermediate.dense", states)))
            states = self._norm(f"{start}.output.LayerNorm", inner + states)
        return states

    def _mean(self, states, mask):
        return torch.tanh(self._encode(states, mask).mean(0))

    def _linear(self, name, given):
        return linear(given, self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"])

    def _norm(self, name, given):
        return layer_norm(given, given.shape[-1:], self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"], 1e-12)
