"""What is sent in: too much of it, what is no photograph, what only looks like one."""

import asyncio
import io
import struct
import threading
import weakref
import zlib

import numpy as np
import PIL.Image
import pytest
from starlette.datastructures import Headers
from starlette.testclient import TestClient

from vldeformer.retrieval.image_transform import ImageTransform
from vldeformer.serve import answers, uploads
from vldeformer.serve.app import search_app
from vldeformer.serve.decoder import Decoder
from vldeformer.serve.refusal import RefusedError

from .conftest import encoded, make_service, picture, problem


def send(client, content, name="photo.jpg", **options):
    return client.post("/search/image?k=2", files={"file": (name, content)}, **options)


def bomb(side):
    """A PNG that says it is side × side pixels and holds next to nothing."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1 << 16))) + chunk(b"IEND", b"")


def animated():
    first, second = picture(1), picture(2)
    return encoded(first, "GIF", save_all=True, append_images=[second, second])


@pytest.mark.parametrize(
    "content",
    [
        animated(),
        encoded(PIL.Image.new("RGB", (1, 1), "red")),
        encoded(PIL.Image.new("RGB", (2_000, 1), "red")),
        encoded(picture(1), "JPEG"),
        encoded(picture(1).convert("CMYK"), "JPEG"),
        encoded(picture(1).convert("LA")),
        encoded(picture(1).convert("P"), "GIF"),
        encoded(PIL.Image.fromarray(np.full((20, 20), 40_000, np.uint16))),
        encoded(picture(1), "WEBP"),
        encoded(picture(1), "TIFF"),
    ],
)
def test_photographs_of_many_kinds_are_read(client, content):
    answer = send(client, content)
    assert answer.status_code == 200 and len(answer.json()["hits"]) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        b"\x00" * 5_000,
        b"<!doctype html><script>alert(1)</script>",
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        encoded(picture(1, (700, 500)), "JPEG")[:-9_000],
        encoded(picture(1))[:40],
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\n",
        encoded(picture(1), "PPM"),
        encoded(picture(1), "ICO"),
        encoded(PIL.Image.new("F", (8, 8)), "TIFF"),
    ],
)
def test_what_is_no_photograph_is_refused(client, content):
    assert "expected a photograph (JPEG, PNG" in problem(send(client, content), 415)


@pytest.mark.parametrize("side", [9_100, 12_000, 60_000])
def test_a_bomb_of_pixels_is_refused_before_it_is_decoded(client, side):
    assert "at most 80,000,000 pixels" in problem(send(client, bomb(side)), 413)


def test_what_waits_for_the_model_is_no_photograph_of_its_own_size(folder, monkeypatch):
    decoded, prepared_by, left = [], [], []

    def decode(self, file, real=Decoder.decode):
        image = real(self, file)
        decoded.append(weakref.ref(image))
        return image

    def transform(self, image, real=ImageTransform.__call__):
        prepared_by.append(threading.current_thread().name)
        return real(self, image)

    def by_image(index, image, k, real=answers.by_image):
        left.extend(one() for one in decoded)
        return real(index, image, k)

    monkeypatch.setattr(Decoder, "decode", decode)
    monkeypatch.setattr(ImageTransform, "__call__", transform)
    monkeypatch.setattr(answers, "by_image", by_image)
    with TestClient(search_app(make_service(folder), ()), base_url="http://localhost") as client:
        assert send(client, encoded(picture(1, (3_000, 2_000)))).status_code == 200
    assert left == [None], "when it is the model's turn the photograph has gone"
    assert [name.partition("_")[0] for name in prepared_by] == ["files"]


def test_forms_without_a_photograph_are_refused(client):
    path = "/search/image"
    assert "multipart/form-data" in problem(client.post(path), 415)
    assert "multipart/form-data" in problem(client.post(path, json={"file": "x"}), 415)
    assert "as `file`" in problem(client.post(path, files={"photo": ("a.png", encoded(picture(1)))}), 400)
    assert "as `file`" in problem(client.post(path, data={"file": "text"}, files={"": ("", b"")}), 400)
    two = [("file", ("a.png", b"x")), ("file", ("b.png", b"y"))]
    assert "one photograph" in problem(client.post(path, files=two), 400)
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        assert "broken" in problem(client.post(path, content=b"--y\r\nnonsense", headers={"content-type": kind}), 400)
    assert "k: expected" in problem(client.post(f"{path}?k=0", files=two), 400)


def test_a_file_that_says_it_is_too_large_is_refused_unread(client):
    headers = {"content-type": "multipart/form-data; boundary=x", "content-length": str(30 << 20)}
    answer = client.post("/search/image", content=b"--x", headers=headers)
    assert "at most 20 MB" in problem(answer, 413) and answer.headers["connection"] == "close"


def test_a_file_that_does_not_say_it_is_cut_off_at_the_limit(client):
    sent = 0

    def endless():
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        while sent < 25 << 20:
            sent += 1 << 20
            yield bytes(1 << 20)

    answer = client.post("/search/image", content=endless(), headers={"content-type": "multipart/form-data; boundary=x"})
    assert "at most 20 MB" in problem(answer, 413)


class Sent:
    """A request whose body begins and does not go on."""

    def __init__(self):
        self.headers = Headers({"content-type": "multipart/form-data; boundary=x"})

    async def stream(self):
        yield b"--x\r\n"
        await asyncio.Event().wait()


class SentByTheByte(Sent):
    """One whose file comes a byte at a time: a thousand of them, and no end."""

    async def stream(self):
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        for _ in range(1_000):
            await asyncio.sleep(0.001)
            yield b"a"


def refusal(work):
    with pytest.raises(RefusedError) as caught:
        asyncio.run(work)
    return caught.value.status


def test_a_file_that_does_not_come_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(uploads, "PIECE_SECONDS", 0.01)
    receiver = uploads.Uploads()
    assert refusal(receiver.receive(Sent())) == 408 and receiver.held == 0


def test_a_file_that_comes_byte_by_byte_does_not_hold_its_place_for_ever(monkeypatch):
    monkeypatch.setattr(uploads, "WHOLE_SECONDS", 0.1)
    receiver = uploads.Uploads()
    assert refusal(receiver.receive(SentByTheByte())) == 408 and receiver.held == 0


def test_no_more_than_sixteen_are_received_at_once():
    async def seventeen():
        receiver = uploads.Uploads()
        others = [asyncio.create_task(receiver.receive(Sent())) for _ in range(16)]
        await asyncio.sleep(0)
        try:
            await receiver.receive(Sent())
        finally:
            for other in others:
                other.cancel()

    assert refusal(seventeen()) == 503


def bmp_of_runs(side):
    """A run-length-coded BMP of one colour: some KB for any number of pixels."""
    rows = b"".join(bytes([min(255, side - start), 0]) for start in range(0, side, 255)) + b"\0\0"
    body = rows * side + b"\0\1"
    palette = bytes(1024)
    head = b"BM" + struct.pack("<IHHI", 14 + 40 + len(palette) + len(body), 0, 0, 14 + 40 + len(palette))
    head += struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(body), 2835, 2835, 256, 0)
    return head + palette + body


@pytest.mark.parametrize(
    "content", [bmp_of_runs(3_000), encoded(PIL.Image.new("L", (70_000, 2)))], ids=["runs", "a line of 70,000 pixels"]
)
def test_what_costs_much_to_decode_is_refused_by_its_header(client, content):
    assert "photograph" in problem(send(client, content), 415 if content[:2] == b"BM" else 413)


def test_a_decoder_that_runs_into_a_limit_is_replaced(monkeypatch):
    files = Decoder()
    try:
        monkeypatch.setattr("vldeformer.serve.decoder.WALL_SECONDS", 0.0)
        with pytest.raises(RefusedError, match="expected an ordinary photograph") as refused:
            files.decode(io.BytesIO(encoded(picture(1, (3_000, 2_000)))))
        assert refused.value.status == 413
        monkeypatch.setattr("vldeformer.serve.decoder.WALL_SECONDS", 30.0)
        expected = picture(1).convert("RGB")
        found = files.decode(io.BytesIO(encoded(expected)))
        assert found.size == expected.size and np.array_equal(np.asarray(found), np.asarray(expected))
    finally:
        files.close()
