"""A model goes to a hub and comes back by its id, with and without a network; what the hub refuses is one line."""

import shutil

import huggingface_hub
import numpy as np
import pytest
import torch
from hub_models import save_vilt
from hub_server import running_hub
from vision_models import photograph, save_vision_model

import vldeformer
from vldeformer.cli import main
from vldeformer.content_digest import digest
from vldeformer.errors import InputError
from vldeformer.extractors.files import load_extractor
from vldeformer.extractors.photographs import PhotographExtractor, open_network
from vldeformer.extractors.settings import HubRegions
from vldeformer.models.importing import files_of

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # of what the hub's library uploads with
TEXTS = ["a red ring", "two blue stars", ""]


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub on this machine, an empty cache, a token that may write under `me`."""
    with running_hub() as made:
        constants = huggingface_hub.constants
        for name in ("ENDPOINT", "HUGGINGFACE_CO_URL_TEMPLATE"):
            monkeypatch.setattr(constants, name, getattr(constants, name).replace("https://huggingface.co", made.url))
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # its storage is another service
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
        monkeypatch.setattr("time.sleep", lambda seconds: None)  # between the library's retries
        monkeypatch.setenv("HF_TOKEN", "good")
        yield made


def refusal(call, *given, **options):
    with pytest.raises(InputError) as caught:
        call(*given, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_pushed_model_is_loaded_by_its_id_then_without_a_network(hub, model_folder, monkeypatch):
    encoder = vldeformer.load(model_folder("squares"))
    assert encoder.push_to_hub("me/rings").startswith(f"{hub.url}/me/rings/commit/")
    assert sorted(hub.repositories["me/rings"]) == [
        "README.md", "digests.json", "encoder.json", "model.safetensors", "tokenizer.json",
    ]  # fmt: skip
    assert 'vldeformer.load("me/rings")' in hub.repositories["me/rings"]["README.md"].decode()
    expected = encoder.encode_text(TEXTS)
    np.testing.assert_array_equal(vldeformer.load("me/rings").encode_text(TEXTS), expected)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    hub.asked.clear()
    again = vldeformer.load("me/rings")
    np.testing.assert_array_equal(again.encode_text(TEXTS), expected)
    assert not hub.asked, "what is in the cache is used as it is"
    assert refusal(vldeformer.load, "me/others").startswith("me/others: no such folder; expected encoder.json or config.json")


def test_the_digest_of_a_model_is_the_same_wherever_it_lies_and_whatever_its_card_says(hub, model_folder, tmp_path):
    encoder = vldeformer.load(model_folder("squares"))
    encoder.save_pretrained(tmp_path / "saved")
    encoder.push_to_hub("me/rings")
    vldeformer.load("me/rings")
    found = {digest(path) for path in (model_folder("squares"), tmp_path / "saved", files_of("me/rings"))}
    assert len(found) == 1, "so an index made with one is opened with another"


def test_the_detector_goes_along_and_an_older_one_is_taken_away(hub, model_folder, region_store):
    folder = model_folder("oscar", extractor=True)
    vldeformer.load(folder).push_to_hub("me/regions")
    assert hub.repositories["me/regions"]["extractor.npz"] and vldeformer.load("me/regions").transform.extractor is not None
    vldeformer.load(model_folder("squares")).push_to_hub("me/regions")
    assert "extractor.npz" not in hub.repositories["me/regions"]


def test_an_extractor_of_photographs_goes_along(hub, model_folder, tmp_path):
    folder = shutil.copytree(model_folder("oscar"), tmp_path / "model")
    save_vision_model(tmp_path / "resnet", "resnet")
    settings = HubRegions(kind="hub", model=str(tmp_path / "resnet"), grid=1, dtype="float16")
    images = [photograph(seed) for seed in range(3)]
    PhotographExtractor.fit(settings, open_network(settings), images).save(folder)
    vldeformer.load(folder).push_to_hub("me/photographs")
    loaded = vldeformer.load("me/photographs").transform.extractor
    expected = load_extractor(folder)
    np.testing.assert_array_equal(loaded.regions(images[0]).features, expected.regions(images[0]).features)
    vldeformer.load(model_folder("oscar", extractor=True)).push_to_hub("me/photographs")
    assert {"extractor.npz", "extractor.safetensors"} & set(hub.repositories["me/photographs"]) == {"extractor.npz"}


def test_a_vision_model_is_read_by_its_id_then_without_a_network(hub, tmp_path, monkeypatch):
    save_vision_model(tmp_path / "vit", "vit")
    hub.repositories["me/vit"] = {path.name: path.read_bytes() for path in (tmp_path / "vit").iterdir()}
    settings = HubRegions(kind="hub", model="me/vit", grid=2, dtype="float16")
    expected = open_network(settings.model_copy(update={"model": str(tmp_path / "vit")})).state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in open_network(settings).state_dict().items())
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    hub.asked.clear()
    assert open_network(settings).words == ("tench", "golden retriever", "") and not hub.asked
    missing = settings.model_copy(update={"model": "me/others"})
    assert refusal(open_network, missing).startswith("me/others: no such folder; expected config.json")


def test_what_names_paths_and_the_machine_stays_here(hub, model_folder, tmp_path):
    folder = shutil.copytree(model_folder("squares"), tmp_path / "model")
    (folder / "provenance.json").write_text(
        '{"settings": {"train": {"loss": "infonce"}}, "inputs": {}, "code": {"version": "0"}, "command": ["/home/me/train"]}'
    )
    vldeformer.load(folder).push_to_hub("me/rings")
    assert "provenance.json" not in hub.repositories["me/rings"]
    assert b"infonce" in hub.repositories["me/rings"]["README.md"]
    assert not any(b"/home/me" in content for content in hub.repositories["me/rings"].values())


def test_a_private_repository_is_seen_with_a_token_only(hub, model_folder, monkeypatch):
    vldeformer.load(model_folder("squares")).push_to_hub("me/secret", private=True)
    monkeypatch.delenv("HF_TOKEN")
    assert "me/secret: no such folder, and the Hugging Face hub does not give it" in refusal(vldeformer.load, "me/secret")
    monkeypatch.setenv("HF_TOKEN", "good")
    assert vldeformer.load("me/secret").encode_text(TEXTS).shape == (3, 32)


def test_a_published_model_of_the_hub_is_read_as_before(hub, tmp_path):
    save_vilt(tmp_path / "vilt")
    hub.repositories["dandelin/vilt"] = {path.name: path.read_bytes() for path in (tmp_path / "vilt").iterdir()}
    expected = vldeformer.load(tmp_path / "vilt").encode_text(TEXTS)
    np.testing.assert_array_equal(vldeformer.load("dandelin/vilt").encode_text(TEXTS), expected)
    assert vldeformer.load("dandelin/vilt").push_to_hub("me/vilt")
    np.testing.assert_allclose(vldeformer.load("me/vilt").encode_text(TEXTS), expected, atol=1e-6)


def test_what_the_hub_refuses_is_one_line(hub, model_folder, monkeypatch):
    encoder = vldeformer.load(model_folder("squares"))
    assert "(403): this token may not write there" in refusal(encoder.push_to_hub, "others/rings")
    assert "(401): the hub does not know this token" in refusal(encoder.push_to_hub, "me/rings", token="bad")
    monkeypatch.delenv("HF_TOKEN")
    hub.asked.clear()
    assert refusal(encoder.push_to_hub, "me/rings").startswith("no token of the Hugging Face hub: run `hf auth login`")
    for wrong in ("rings", "me/ri ngs", "a/b/c", "", "me/", None):
        assert refusal(encoder.push_to_hub, wrong).startswith("repo_id: expected USER/NAME of the Hugging Face hub, got ")
    assert not hub.asked and not hub.repositories


def test_without_a_network_it_is_one_line(hub, model_folder, monkeypatch):
    encoder = vldeformer.load(model_folder("squares"))
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    assert refusal(encoder.push_to_hub, "me/rings").startswith("me/rings: not written to http://127.0.0.1:9: ")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert refusal(encoder.push_to_hub, "me/rings").startswith("me/rings: not written to http://127.0.0.1:9: ")


def test_the_command_writes_a_folder_or_pushes(hub, model_folder, tmp_path, capsys):
    model = str(model_folder("squares"))
    assert main(["publish", model, "--out", str(tmp_path / "saved")]) == 0
    assert (tmp_path / "saved" / "README.md").is_file()
    capsys.readouterr()
    assert main(["publish", model, "--hub", "me/rings", "--private"]) == 0
    assert capsys.readouterr().out.startswith(f"{hub.url}/me/rings/commit/") and hub.private == {"me/rings"}
    for wrong, expected in (
        (["--hub", "others/rings"], "others/rings: not written to"),
        (["--out", str(tmp_path / "other"), "--private"], "--private goes with --hub"),
        (["--out", str(tmp_path / "other"), "--experiment", "joint"], "expected results that it is of"),
        (["--out", str(tmp_path / "other"), "--results", str(tmp_path)], "report.json: expected a JSON file, found none"),
    ):
        assert main(["publish", model, *wrong]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert expected in line
    assert not (tmp_path / "other").exists()
