"""A tiny BERT of random weights, as a published text transformer is stored."""

import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "blue", "ring", "box", "##es", "of", "left"]
TEXTS = ["a red ring", "blue boxes left of a box"]


def save_bert(folder, **changes):
    torch.manual_seed(0)
    sizes = {
        "vocab_size": len(WORDS), "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
    }  # fmt: skip
    model = BertModel(BertConfig(**sizes | changes))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    return model.eval()
