"""An index of a few pictures, some with names that a web page must not believe, and an app that serves it."""

import io

import numpy as np
import PIL.Image
import pytest
from starlette.testclient import TestClient

from vldeformer.search.writing import index_images
from vldeformer.serve.app import search_app
from vldeformer.serve.guard import allowed_hosts
from vldeformer.serve.live_index import LiveIndex
from vldeformer.serve.served_joint import ServedJoint
from vldeformer.serve.service import Service

ODD_NAMES = ("<script>alert(1)<", "ü #%?&'\" +.png", "قطة.png", "-rf", "a%2Fb.png")


def picture(seed, size=(70, 50)):
    """Large coloured blocks."""
    blocks = np.random.default_rng(seed).integers(256, size=(3, 4, 3), dtype=np.uint8)
    return PIL.Image.fromarray(blocks).resize(size, PIL.Image.Resampling.BILINEAR)


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def make_photos(folder):
    (folder / "a").mkdir(parents=True)
    for number in range(24):
        picture(number).save(folder / "a" / f"{number:02}.png")
    for number, name in enumerate(ODD_NAMES):
        (folder / "a" / name).write_bytes(encoded(picture(50 + number)))


@pytest.fixture(scope="session")
def model(model_folder):
    return model_folder("squares")


@pytest.fixture(scope="session")
def joint_model(model_folder):
    return model_folder("squares", reading="joint")


@pytest.fixture(scope="session")
def folder(model, tmp_path_factory):
    """29 pictures and their index. Nothing may write into it."""
    root = tmp_path_factory.mktemp("served")
    make_photos(root / "photos")
    index_images(model, root / "photos", root / "index")
    (root / "secret.png").write_bytes(encoded(picture(99)))
    return root / "index"


def make_service(folder, joint_model=None, candidates=6, examples=()):
    live = LiveIndex(folder)
    joint = None if joint_model is None else ServedJoint(joint_model, live.now.index, candidates)
    return Service(live, joint, candidates, examples)


@pytest.fixture(scope="module")
def service(folder, joint_model):
    return make_service(folder, joint_model, examples=("a red ring",))


@pytest.fixture(scope="module")
def client(service):
    with TestClient(search_app(service, allowed_hosts("127.0.0.1")), base_url="http://localhost") as opened:
        yield opened


def problem(response, status):
    """The one line of a refusal."""
    assert response.status_code == status, ascii(response.content[:300])
    value = response.json()
    assert list(value) == ["error"] and value["error"] and "\n" not in value["error"]
    assert "/tmp" not in value["error"], "no path of the server"
    return value["error"]
