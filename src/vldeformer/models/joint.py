"""The early-interaction teacher: reads a caption and an image together and says whether they match."""

from jaxtyping import Float
from torch import Tensor, nn

from vldeformer.inputs.batch import TextInput, VisualInput
from vldeformer.models.backbone import Backbone


class JointMatcher(nn.Module):
    """Two-way classifier on the summary of caption and image."""

    def __init__(self, backbone: Backbone, dropout: float = 0.1) -> None:
        super().__init__()
        self.backbone = backbone
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(backbone.hidden_size, 2)
        nn.init.normal_(self.classifier.weight, std=0.02)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, text: TextInput, visual: VisualInput) -> Float[Tensor, "B 2"]:
        """Logits of no match and match."""
        logits: Tensor = self.classifier(self.dropout(self.backbone.summary(self.backbone.encode_jointly(text, visual))))
        return logits

    def score(self, text: TextInput, visual: VisualInput) -> Float[Tensor, " B"]:
        """Log-odds of a match: ranks as its probability does, and does not saturate into ties at 1."""
        logits: Tensor = self(text, visual)
        return logits[:, 1] - logits[:, 0]
