"""Networks of random weights in their published layouts, and small photographs: what extractors of regions are tested on."""

import json
import sys

import numpy as np
import PIL.Image
import torch
import transformers

SIDE, PATCH = 32, 8
SIZES = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "image_size": SIDE,
    "patch_size": PATCH,
}  # fmt: skip
LABELS = {0: "tench, Tinca tinca", 1: "golden_retriever", 2: "LABEL_2"}
SQUARE = {"height": SIDE, "width": SIDE}
LEAVES = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}


def photograph(seed, width=60, height=40):
    """An RGB image of random stripes."""
    draw = np.random.default_rng(seed)
    coarse = draw.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return PIL.Image.fromarray(coarse).resize((width, height), PIL.Image.Resampling.BILINEAR)


def save_vision_model(folder, kind, **changes):
    """Write a tiny vision model of the hub; ``kind``: resnet, vit, vit_plain, dinov2, clip, siglip or swin. Returns the model."""
    folder.mkdir(parents=True, exist_ok=True)
    model, processor = getattr(sys.modules[__name__], f"_{kind}")(changes)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.2)
    model.eval().save_pretrained(folder)
    processor.save_pretrained(folder)
    return model


def _resnet(changes):
    sizes = {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "id2label": LABELS}
    kind = transformers.ResNetForImageClassification
    return kind(transformers.ResNetConfig(**sizes | changes)), transformers.ConvNextImageProcessorPil(
        size={"shortest_edge": SIDE}
    )


def _vit(changes):
    config = transformers.ViTConfig(**SIZES | {"id2label": LABELS} | changes)
    return transformers.ViTForImageClassification(config), transformers.ViTImageProcessorPil(size=SQUARE)


def _vit_plain(changes):
    return transformers.ViTModel(transformers.ViTConfig(**SIZES | changes)), transformers.ViTImageProcessorPil(size=SQUARE)


def _dinov2(changes):
    sizes = {name: value for name, value in SIZES.items() if name != "intermediate_size"} | {"num_register_tokens": 4}
    model = transformers.Dinov2WithRegistersModel(transformers.Dinov2WithRegistersConfig(**sizes | changes))
    return model, transformers.BitImageProcessorPil(size={"shortest_edge": SIDE + 4}, crop_size=SQUARE)


def _clip(changes):
    text = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 50}
    text |= {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    config = transformers.CLIPConfig(text_config=text, vision_config=SIZES | {"projection_dim": 16} | changes, projection_dim=16)
    return transformers.CLIPModel(config), transformers.CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=SQUARE)


def _siglip(changes):
    text = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 50}
    text |= {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    config = transformers.SiglipConfig(text_config=text, vision_config=SIZES | changes)
    return transformers.SiglipModel(config), transformers.SiglipImageProcessorPil(size=SQUARE)


def _swin(changes):
    sizes = {"image_size": SIDE, "patch_size": 4, "embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "window_size": 4}
    return transformers.SwinModel(transformers.SwinConfig(**sizes | changes)), transformers.ViTImageProcessorPil(size=SQUARE)


def published_name(name):
    """A tensor's name in the published file: every module has a leading underscore."""
    return ".".join(part if part in LEAVES or part.isdigit() else f"_{part}" for part in name.split("."))


def random_lite0():
    """Tensors of an EfficientNet-Lite0 under their published names, large enough for features to differ."""
    from vldeformer.extractors.efficientnet_lite import EfficientNetLite

    torch.manual_seed(2)
    network = EfficientNetLite()
    for name, tensor in network.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.05, 0.2)
        elif name.endswith(("running_mean", "bias")) and "fc" not in name:
            tensor.normal_(0, 0.1)
    return {published_name(name): tensor for name, tensor in network.state_dict().items()}


def write_packages(folder, tensors=None, patch=None):
    """Write both packages below ``folder`` as pip does; ``patch``, a MonkeyPatch, makes them the ones that are found."""
    import hashlib

    from vldeformer.extractors import efficientnet_lite0

    weights = folder / efficientnet_lite0.WEIGHTS[0] / efficientnet_lite0.WEIGHTS[1]
    names = folder / efficientnet_lite0.CLASS_NAMES[0] / efficientnet_lite0.CLASS_NAMES[1]
    weights.parent.mkdir(parents=True)
    names.parent.mkdir(parents=True)
    for package in (efficientnet_lite0.WEIGHTS[0], efficientnet_lite0.CLASS_NAMES[0]):
        (folder / package / "__init__.py").touch()
    torch.save(random_lite0() if tensors is None else tensors, weights)
    names.write_text(json.dumps([f"thing_{number}, synonym" for number in range(1000)]))
    if patch is not None:
        patch.syspath_prepend(folder)
        for package in (efficientnet_lite0.WEIGHTS[0], efficientnet_lite0.CLASS_NAMES[0]):
            patch.delitem(sys.modules, package, raising=False)
        patch.setattr(efficientnet_lite0, "WEIGHTS_SHA256", hashlib.sha256(weights.read_bytes()).hexdigest())
    return weights, names
