"""ViLT and VisualBERT as transformers saves them: the same scores, nothing missing, nothing from the network."""

import os
import shutil
import subprocess
import sys

import huggingface_hub
import numpy as np
import PIL.Image
import pytest
import torch
import transformers
from hub_models import FEATURES, PATCH, SIDE, save_vilt, save_visualbert

from vldeformer.cli import main
from vldeformer.data.photographs import write_photographs
from vldeformer.data.records import Regions
from vldeformer.data.regions import write_regions
from vldeformer.errors import InputError
from vldeformer.inputs.photographs import PhotographTransform
from vldeformer.models.dual import DualEncoder
from vldeformer.models.importing import import_model
from vldeformer.models.joint import JointMatcher
from vldeformer.models.weights import as_encoder, load_model
from vldeformer.retrieval.reader import open_encoder, open_matcher
from vldeformer.runtime import this_machine

TEXTS = ["a man on a street", "the Red cat", "", "two women with a hat and a bike near the table . " * 9, "grass"]
SHAPES = [(64, 64), (200, 90), (90, 200), (31, 33), (70, 150)]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """A store of photographs of several sizes and aspect ratios, losslessly kept, and their ids."""
    folder, generator = tmp_path_factory.mktemp("photographs"), np.random.default_rng(0)
    for number, (height, width) in enumerate(SHAPES):
        small = PIL.Image.fromarray(generator.integers(0, 256, (5, 7, 3), dtype=np.uint8))
        small.resize((width, height), PIL.Image.Resampling.BICUBIC).save(folder / f"{number}.png")
    files = {f"photo {number}": f"{number}.png" for number in range(len(SHAPES))}
    write_photographs(folder / "store", folder, files)
    return folder / "store", list(files)


@pytest.fixture(scope="module", params=["new", "old"])
def vilt(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("vilt")
    return folder, save_vilt(folder, layout=request.param)


def test_the_joint_score_is_vilts_own_retrieval_logit(vilt, photographs):
    (folder, reference), (store, ids) = vilt, photographs
    matcher, reader = open_matcher(folder, store, this_machine())
    pictures = [PIL.Image.open(store.parent / f"{number}.png") for number in range(len(ids))]
    tokens = transformers.AutoTokenizer.from_pretrained(folder)
    transform = transformers.ViltImageProcessorPil.from_pretrained(folder)
    given = dict(tokens(TEXTS, padding=True, truncation=True, max_length=40, return_tensors="pt")) | dict(
        transform(pictures, return_tensors="pt")
    )
    with torch.no_grad():
        expected = reference(**given).logits[:, 0]
        found = matcher.score(reader.text.read(TEXTS), reader.visual.read(ids))
        again = matcher.score(reader.text.read(TEXTS), reader.visual.read(ids))
    assert torch.allclose(found, expected, atol=1e-5) and torch.equal(found, again)
    assert found.std() > 0.01


def test_company_changes_nothing_for_photographs_of_any_shape(vilt, photographs):
    (folder, _), (store, ids) = vilt, photographs
    (encoder, reader), (matcher, joint) = open_encoder(folder, store, this_machine()), open_matcher(folder, store, this_machine())
    read = reader.visual.read(ids)
    assert len({tuple(grid) for grid in read.grids.tolist()}) >= 3 and not read.mask.all()
    with torch.no_grad():
        together = encoder.encode_visual(read)
        alone = torch.cat([encoder.encode_visual(reader.visual.read([one])) for one in ids])
        scores = matcher.score(joint.text.read(TEXTS), read)
        pairs = zip(TEXTS, ids, strict=True)
        one_by_one = torch.cat([matcher.score(joint.text.read([text]), joint.visual.read([one])) for text, one in pairs])
    assert torch.allclose(together, alone, atol=1e-6) and torch.allclose(scores, one_by_one, atol=1e-5)
    assert torch.pdist(together).min() > 1e-3


def test_a_square_read_as_a_photograph_is_the_square(vilt):
    from vldeformer.inputs.batch import PixelInput

    encoder = as_encoder(*import_model(vilt[0])[:2])
    picture = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    pixels = torch.from_numpy(picture.transpose(2, 0, 1))[None].float() / 127.5 - 1
    with torch.no_grad():
        square = encoder.encode_visual(PixelInput(pixels))
        photograph = encoder.encode_visual(PhotographTransform(SIDE, PATCH)([picture], ["picture"]))
    assert torch.allclose(square, photograph, atol=1e-6)


@pytest.fixture(scope="module")
def regions(tmp_path_factory):
    """A store of bare features, and the features."""
    folder, generator = tmp_path_factory.mktemp("regions") / "store", np.random.default_rng(0)
    features = {f"{count} regions": generator.normal(size=(count, FEATURES)).astype(np.float32) for count in (3, 7, 0, 1, 5)}
    boxes = {name: np.tile(np.array([0.1, 0.1, 0.9, 0.9], np.float32), (len(rows), 1)) for name, rows in features.items()}
    items = ((name, Regions(rows, boxes[name], ("cat",) * len(rows))) for name, rows in features.items())
    write_regions(folder, items, FEATURES, "float32")
    return folder, features


def test_the_joint_score_is_visualberts_own_sentence_image_head(tmp_path, regions):
    reference, (store, features) = save_visualbert(tmp_path), regions
    matcher, reader = open_matcher(tmp_path, store, this_machine())
    read = reader.visual.read(list(features))
    text = reader.text.read(TEXTS)
    with torch.no_grad():
        logits = reference(
            input_ids=text.ids,
            attention_mask=text.mask.long(),
            visual_embeds=read.features,
            visual_attention_mask=read.region_mask.long(),
        ).seq_relationship_logits
        found = matcher.logits(text, read)
    # 0 of the head is the matching pair.
    assert torch.allclose(found, logits.flip(1), atol=1e-5)
    assert torch.allclose(matcher.score(text, read), logits[:, 0] - logits[:, 1], atol=1e-5)


def test_visualbert_reads_an_image_alone_behind_an_empty_caption(tmp_path, regions):
    reference, (store, features) = save_visualbert(tmp_path), regions
    encoder, reader = open_encoder(tmp_path, store, this_machine())
    empty = reader.text.read([""])
    for name, rows in features.items():
        with torch.no_grad():
            states = reference.visual_bert(
                input_ids=empty.ids, attention_mask=empty.mask.long(), visual_embeds=torch.from_numpy(rows)[None]
            ).last_hidden_state
            found = encoder.encode_visual(reader.visual.read(list(features)))[list(features).index(name)]
        expected = torch.nn.functional.normalize(torch.tanh(states[0].mean(0)), dim=0)
        assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("save", "architecture"),
    [
        (save_vilt, "ViltForMaskedLM"), (save_vilt, "ViltModel"), (save_vilt, "ViltForQuestionAnswering"),
        (save_visualbert, "VisualBertModel"), (save_visualbert, "VisualBertForQuestionAnswering"),
        (save_visualbert, "VisualBertForVisualReasoning"), (save_visualbert, "VisualBertForMultipleChoice"),
    ],
)  # fmt: skip
def test_a_model_without_matching_head_is_a_dual_encoder_only(tmp_path, photographs, save, architecture):
    source = save(tmp_path, architecture)
    model, description, _ = import_model(tmp_path)
    assert isinstance(model, DualEncoder) and description.pooling == "mean"
    body = getattr(source, source.base_model_prefix, source).state_dict()
    own = model.backbone.state_dict()
    assert {name.partition(".")[2] for name in own} == body.keys()
    assert all(torch.equal(tensor, body[name.partition(".")[2]]) for name, tensor in own.items())
    with pytest.raises(InputError, match="no matching head, and so no joint scores"):
        open_matcher(tmp_path, photographs[0], this_machine())


def test_the_command_writes_a_folder_that_needs_no_hub(vilt, photographs, tmp_path, monkeypatch):
    (folder, _), (store, ids) = vilt, photographs
    copy = shutil.copytree(folder, tmp_path / "copy")
    assert main(["import-weights", str(copy), "--out", str(tmp_path / "model")]) == 0
    shutil.rmtree(copy)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", None)
    assert isinstance(load_model(tmp_path / "model")[0], JointMatcher)
    with torch.no_grad():
        vectors = []
        for path in (folder, tmp_path / "model"):
            encoder, reader = open_encoder(path, store, this_machine())
            vectors.append((encoder.encode_visual(reader.visual.read(ids)), encoder.encode_text(reader.text.read(TEXTS))))
    assert torch.equal(vectors[0][0], vectors[1][0]) and torch.equal(vectors[0][1], vectors[1][1])


def cached(home, name, source):
    """Lay a model into a cache as huggingface_hub does: blobs, a snapshot of links, a reference to it."""
    repository = home / "hub" / f"models--{name.replace('/', '--')}"
    revision = "0123456789abcdef0123456789abcdef01234567"
    snapshot = repository / "snapshots" / revision
    for folder in (snapshot, repository / "blobs", repository / "refs"):
        folder.mkdir(parents=True)
    (repository / "refs" / "main").write_text(revision)
    for number, path in enumerate(sorted(source.iterdir())):
        shutil.copy(path, repository / "blobs" / str(number))
        (snapshot / path.name).symlink_to(f"../../blobs/{number}")


def test_offline_a_cached_model_is_loaded_by_id_and_another_is_asked_for(vilt, tmp_path):
    folder = vilt[0]
    home, out = tmp_path / "home", tmp_path / "model"
    name = "dandelin/vilt-b32-finetuned-coco"
    cached(home, name, folder)
    script = f"""
from vldeformer.cli import main
assert main(["import-weights", "{name}", "--out", r"{out}"]) == 0
assert main(["import-weights", "dandelin/vilt-b32-mlm", "--out", r"{tmp_path / "other"}"]) == 2
"""
    environment = os.environ | {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1"}
    environment.pop("HF_HUB_CACHE", None)
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    own, direct = load_model(out)[0].state_dict(), import_model(folder)[0].state_dict()
    assert all(torch.equal(own[key], direct[key]) for key in direct)
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and "dandelin/vilt-b32-mlm: no such folder; expected config.json" in lines[0]
    assert "`hf download dandelin/vilt-b32-mlm`" in lines[0] and not (tmp_path / "other").exists()
