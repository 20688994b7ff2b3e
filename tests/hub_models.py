"""Tiny ViLT and VisualBERT models of random weights in the layout of the Hugging Face hub, written by transformers itself."""

import json

import torch
import transformers
from vinvl_files import PIECES

SIZES = {
    "vocab_size": len(PIECES), "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
}  # fmt: skip
SIDE, PATCH, FEATURES = 64, 16, 20


def save_vilt(folder, architecture="ViltForImageAndTextRetrieval", layout="new", **changes):
    """A model folder with tokenizer and image processor; ``layout`` old: a .bin file and the keys of 2022. Returns the model."""
    config = transformers.ViltConfig(**SIZES | {"image_size": SIDE, "patch_size": PATCH, "max_image_length": -1} | changes)
    model = save_model(folder, getattr(transformers, architecture), config, layout)
    tokenizer(folder).save_pretrained(folder)
    processor = transformers.ViltImageProcessorPil(size={"shortest_edge": SIDE}, size_divisor=PATCH)
    processor.save_pretrained(folder)
    if layout == "old":
        keys = {"do_normalize": True, "do_resize": True, "feature_extractor_type": "ViltFeatureExtractor", "resample": 3}
        keys |= {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": SIDE, "size_divisor": PATCH}
        (folder / "preprocessor_config.json").write_text(json.dumps(keys))
    return model


def save_visualbert(folder, architecture="VisualBertForPreTraining", layout="old", words=True, **changes):
    """The same; the hub's VisualBERT repositories are of the old layout and hold no tokenizer (``words`` False)."""
    config = transformers.VisualBertConfig(**SIZES | {"visual_embedding_dim": FEATURES, "max_position_embeddings": 64} | changes)
    model = save_model(folder, getattr(transformers, architecture), config, layout)
    if words:
        (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    return model


def save_model(folder, kind, config, layout):
    torch.manual_seed(3)
    model = kind(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.2)
    model.save_pretrained(folder)
    if layout == "old":
        (folder / "model.safetensors").unlink()
        stored = dict(model.state_dict())
        body = model.base_model_prefix
        inner = "text_embeddings." if body == "vilt" else ""
        start = f"{body}." if hasattr(model, body) else ""
        stored[f"{start}embeddings.{inner}position_ids"] = torch.arange(config.max_position_embeddings)[None]
        torch.save(stored, folder / "pytorch_model.bin")
    return model


def tokenizer(folder):
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(PIECES) + "\n")
    return transformers.BertTokenizerFast(str(vocabulary))
