"""The gradient of chunks is that of the whole batch, whatever the loss, the dropout and the size of a chunk."""

import itertools
from types import SimpleNamespace

import pytest
import torch
from accelerate.state import AcceleratorState
from tiny_settings import COMPOSED, training
from torch import nn

from vldeformer.errors import InputError
from vldeformer.inputs.collate import ComposedImage
from vldeformer.inputs.drawn_negatives import ComposedNegatives
from vldeformer.inputs.streams import PairStream
from vldeformer.models.dual import decompose
from vldeformer.training.grad_cache import PROBE_IMAGES, GradCache, backward_in_chunks, chunk_seeds, images_that_fit, joined
from vldeformer.training.loop import start_processes
from vldeformer.training.tasks import contrastive_training
from vldeformer.training.vector_loss import vector_loss

SEED = 77


def settings(**changes):
    return training(**{"hard_negatives": COMPOSED} | changes)


@pytest.fixture(scope="module")
def stream(manifest, readers):
    """Eight pairs, most of them with a hard caption and a hard image."""
    train, read = manifest.split("train"), readers("oscar")
    hard_texts = {caption.id: ["a ring left of a star"] for caption in train.captions if not caption.id.endswith("#1")}
    ids = [image.id for image in train.images]
    hard_images = {own: [ComposedImage(own, other, (0,), (0,))] for own, other in itertools.pairwise(ids[:-2])}
    return PairStream(train, read.text, read.visual, 8, 1, negatives=ComposedNegatives(hard_texts, hard_images), captions=2)


@pytest.fixture
def accelerator(runtime):
    return start_processes(runtime)


def encoder(make_backbone, dropout=0.3, **options):
    return decompose(make_backbone("oscar", dropout=dropout), dropout=dropout, **options).train()


def gradients(model):
    found = {name: None if weight.grad is None else weight.grad.clone() for name, weight in model.named_parameters()}
    model.zero_grad(set_to_none=True)
    return found


def same(one, other, tolerance):
    assert {name for name, grad in one.items() if grad is not None} == {n for n, grad in other.items() if grad is not None}
    largest = max(grad.abs().max() for grad in one.values() if grad is not None)
    assert largest > 1e-3
    for name, grad in one.items():
        if grad is not None:
            assert (grad - other[name]).abs().max() <= tolerance * largest, name


def in_chunks(model, batch, size, given, accelerator):
    torch.manual_seed(SEED)
    value, figures = backward_in_chunks(model, batch, size, lambda vectors: vector_loss(vectors, batch, given), accelerator)
    return value, figures, gradients(model)


def with_one_graph(model, batch, size, given):
    """The plain step that chunks must equal: each encoded with its seed, all in one graph."""
    parts = []
    for number, first in enumerate(range(0, len(batch), size)):
        torch.manual_seed(chunk_seeds(SEED, number + 1)[-1])
        parts.append(model(batch.part(first, first + size)))
    vectors = joined(parts)
    if parts[0].temperature is not None:
        object.__setattr__(vectors, "temperature", parts[0].temperature)
    value, _ = vector_loss(vectors, batch, given)
    value.backward()
    return value.detach(), gradients(model)


@pytest.mark.parametrize(
    ("loss", "size"),
    [
        ("infonce", 1),
        ("infonce", 3),
        ("infonce", 4),
        ("triplet", 3),
        ("triplet_hard", 3),
        ("multi_similarity", 3),
        ("sigmoid", 3),
    ],
)
def test_chunks_have_the_gradient_of_one_graph_dropout_included(stream, make_backbone, accelerator, loss, size):
    keys = {"learn_temperature": True} if loss in ("infonce", "sigmoid") else {"margin": 3.0} if "triplet" in loss else {}
    given = settings(loss={"kind": loss} | keys)
    model, batch = encoder(make_backbone, initial_temperature=0.1), stream.batch(1)
    expected, right = with_one_graph(model, batch, size, given)
    value, figures, found = in_chunks(model, batch, size, given, accelerator)
    assert value.item() == pytest.approx(expected.item(), rel=1e-5) and not value.requires_grad
    same(right, found, 2e-5)
    assert figures == {"temperature": pytest.approx(0.1)}
    if loss in ("infonce", "sigmoid"):
        assert found["log_temperature"].abs() > 1e-3


@pytest.mark.parametrize("scope", ["anchor", "batch"])
def test_without_dropout_it_is_the_step_of_the_whole_batch(stream, make_backbone, accelerator, scope):
    given, model, batch = (
        settings(hard_negatives=COMPOSED | {"scope": scope}),
        encoder(make_backbone, 0.0, shared=False),
        stream.batch(0),
    )
    assert batch.hard_text_valid.any() and batch.hard_visual_valid.any()
    expected, _ = vector_loss(model(batch), batch, given)
    expected.backward()
    right = gradients(model)
    value, _, found = in_chunks(model, batch, 3, given, accelerator)
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)
    same(right, found, 2e-5)


@pytest.mark.parametrize("size", [8, 100])
def test_one_chunk_is_exactly_the_plain_step(stream, make_backbone, accelerator, size):
    given, model, batch = settings(), encoder(make_backbone), stream.batch(0)
    torch.manual_seed(SEED)
    expected, _ = vector_loss(model(batch), batch, given)
    expected.backward()
    right = gradients(model)
    value, _, found = in_chunks(model, batch, size, given, accelerator)
    assert torch.equal(value, expected)
    assert all(grad is None or torch.equal(grad, found[name]) for name, grad in right.items())


def test_chunks_have_dropout_of_their_own(stream, make_backbone, accelerator):
    given, model, batch = settings(), encoder(make_backbone), stream.batch(0)
    losses = {size: in_chunks(model, batch, size, given, accelerator)[0].item() for size in (8, 4, 2)}
    assert len(set(losses.values())) == 3 and len(set(chunk_seeds(SEED, 50))) == 50


def test_a_hard_negative_that_the_loss_leaves_out_has_no_gradient(manifest, readers, make_backbone, accelerator):
    read = readers("oscar")
    without = PairStream(manifest.split("train"), read.text, read.visual, 8, 1, negatives=ComposedNegatives({}, {}))
    given, model, batch = settings(), encoder(make_backbone, 0.0), without.batch(0)
    expected, right = with_one_graph(model, batch, 3, given)
    value, _, found = in_chunks(model, batch, 3, given, accelerator)
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)
    same(right, found, 2e-5)


def test_only_one_chunk_has_a_graph_at_a_time(stream, make_backbone, accelerator):
    given, model, batch = settings(), encoder(make_backbone, 0.0), stream.batch(0)

    def most_kept(size):
        alive, most = [0], [0]

        class Kept:
            def __init__(self, tensor):
                self.tensor = tensor
                alive[0] += tensor.numel()
                most[0] = max(most[0], alive[0])

            def __del__(self):
                alive[0] -= self.tensor.numel()

        with torch.autograd.graph.saved_tensors_hooks(Kept, lambda kept: kept.tensor):
            in_chunks(model, batch, size, given, accelerator)
        return most[0]

    # What does not shrink with the chunk: weights, which every chunk keeps.
    assert most_kept(1) < 0.45 * most_kept(8)


def watched(model, most=None):
    """The sizes of the chunks that ``model`` is shown; a larger one than ``most`` is out of memory."""
    sizes = []

    def look(module, inputs):
        sizes.append(len(inputs[0]))
        if most is not None and len(inputs[0]) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    model.register_forward_pre_hook(look)
    return sizes


@pytest.fixture
def on_gpu(accelerator, monkeypatch):
    """Stands for an accelerator of a GPU, of which the chunks only ask the kind."""
    monkeypatch.setattr("vldeformer.training.grad_cache.clear_device_cache", lambda garbage_collection: None)
    return SimpleNamespace(
        num_processes=1, device=torch.device("cuda"), backward=accelerator.backward, no_sync=accelerator.no_sync
    )


def test_auto_halves_the_batch_on_a_gpu_until_it_fits_and_stays_there(stream, make_backbone, on_gpu):
    given, batch = settings(), stream.batch(0)
    model, state = encoder(make_backbone, 0.0), {}
    expected, _ = vector_loss(model(batch), batch, given)
    expected.backward()
    right = gradients(model)
    sizes = watched(model, most=3)
    cache = GradCache("auto", on_gpu, state)
    for _ in range(2):
        value, _ = cache.backward(model, batch, lambda vectors: vector_loss(vectors, batch, given))
        assert value.item() == pytest.approx(expected.item(), rel=1e-5)
        same(right, gradients(model), 2e-5)
    assert sizes == [8, 4, *[2] * 4 * 2 * 2] and state == {"chunk_images": 2}
    again = watched(model)
    GradCache("auto", on_gpu, state).backward(model, batch, lambda vectors: vector_loss(vectors, batch, given))
    assert again[0] == 2, "a continued run has the chunks of the first"


@pytest.mark.parametrize(("asked", "most"), [("auto", 0), (4, 3), (None, 3)])
def test_what_does_not_fit_is_said(stream, make_backbone, on_gpu, asked, most):
    model, batch = encoder(make_backbone), stream.batch(0)
    watched(model, most)
    with pytest.raises(torch.OutOfMemoryError):
        GradCache(asked, on_gpu, {}).backward(model, batch, lambda vectors: vector_loss(vectors, batch, settings()))


def test_auto_goes_by_the_free_memory_on_a_cpu(stream, make_backbone, accelerator, monkeypatch):
    model, batch, free = encoder(make_backbone), stream.batch(0), [0]
    monkeypatch.setattr("vldeformer.training.grad_cache.psutil.virtual_memory", lambda: SimpleNamespace(available=free[0]))
    assert images_that_fit(model, batch) == 1, "less is not possible"
    free[0] = 10**9
    fitting = images_that_fit(model, batch)
    # Four sequences of an image pass two layers of 32 wide states and 64 wide inner ones, all float32.
    positions = batch.text.ids.shape[1] * 2 + (batch.visual.tag_ids.shape[1] + 6) * 2
    at_least = positions * 2 * (32 + 64) * 4
    assert at_least < free[0] / 2 / fitting < 40 * at_least
    free[0] = 4 * 10**9
    assert images_that_fit(model, batch) == pytest.approx(4 * fitting, rel=0.01)

    def loss(vectors):
        return vector_loss(vectors, batch, settings())

    for images, expected in ((3.5, 3), (1000, 8)):
        free[0], state = int(10**9 / fitting * images), {}
        sizes = watched(model)
        GradCache("auto", accelerator, state).backward(model, batch, loss)
        assert state == {"chunk_images": expected} and sizes[:2] == [PROBE_IMAGES, expected]


def test_auto_needs_one_process():
    with pytest.raises(InputError, match=r"chunk_images: expected a number or null with 2 processes.*got auto"):
        GradCache("auto", SimpleNamespace(num_processes=2), {})


@pytest.fixture
def bfloat16(runtime):
    """The accelerator of a run in bfloat16; accelerate allows one precision a process, so it must forget the other."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield start_processes(runtime.model_copy(update={"precision": "bfloat16"}))
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.mark.parametrize("chunk_images", [None, 3])
def test_a_step_in_bfloat16_is_near_that_in_float32(stream, make_backbone, bfloat16, chunk_images):
    given = settings(chunk_images=chunk_images)
    model, batch = encoder(make_backbone, 0.0), stream.batch(2)
    expected, _ = vector_loss(model(batch), batch, given)
    expected.backward()
    right = gradients(model)
    wrapped = bfloat16.prepare(model)
    value, _ = contrastive_training(stream, given, bfloat16, {})(wrapped, 2)
    found = gradients(model)
    assert value.item() == pytest.approx(expected.item(), rel=0.05) and value.item() != expected.item()
    whole = [torch.cat([grad.flatten() for grad in grads.values() if grad is not None]) for grads in (right, found)]
    assert nn.functional.cosine_similarity(*whole, dim=0) > 0.98
    assert all(grad is None or grad.dtype == torch.float32 for grad in found.values())
