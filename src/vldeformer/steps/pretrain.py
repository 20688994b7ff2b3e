"""Step `pretrain`: the early-interaction backbone learns masked words and matching."""

from vldeformer.steps.arguments import Features, ManifestFile, OutFolder, SettingsFile, Tokenizer

VERSION = 1


def pretrain(*, settings: SettingsFile, manifest: ManifestFile, features: Features, tokenizer: Tokenizer, out: OutFolder) -> None:
    """Pre-train the backbone with masked words and matching; continues an interrupted run.

    Writes ``model/`` (a joint matcher: the backbone and its match head) and ``journal.jsonl``.
    """
    import time

    import torch

    from vldeformer.artifact import check_replaceable
    from vldeformer.data.manifest import Manifest
    from vldeformer.inputs.streams import PairStream
    from vldeformer.inputs.tokens import WordPieces
    from vldeformer.models.fast_layers import use_fast_layers
    from vldeformer.models.joint import JointMatcher
    from vldeformer.models.pretraining import PretrainingModel
    from vldeformer.models.weights import ModelDescription, build_model
    from vldeformer.retrieval.reader import Lengths, extractor_of, open_reader
    from vldeformer.runtime import RuntimeSettings
    from vldeformer.seeding import named_seed
    from vldeformer.steps.settings_file import read_backbone, read_section
    from vldeformer.training.loop import Task, fit, start_processes
    from vldeformer.training.optimizer_settings import PretrainSettings
    from vldeformer.training.run_folder import finish, run_folder, run_key, run_lock
    from vldeformer.training.start import start_without_pretraining
    from vldeformer.training.tasks import pretraining

    started = time.monotonic()
    check_replaceable(out)
    backbone = read_backbone(settings, VERSION)
    section = read_section(settings, "pretrain", PretrainSettings, VERSION)
    runtime = read_section(settings, "runtime", RuntimeSettings, VERSION)
    accelerator = start_processes(runtime)
    words = WordPieces.load(tokenizer)
    reader = open_reader(backbone, words, features, Lengths.of(backbone, pooling=None), runtime)
    torch.manual_seed(named_seed(section.seed, "weights"))
    description = ModelDescription(
        kind="joint",
        backbone=backbone,
        vocabulary_size=len(words),
        feature_width=reader.visual.feature_width,
        pooling="mean",
        pooling_dropout=backbone.dropout,
        image_size=reader.visual.image_size,
    )
    matcher = build_model(description)
    assert isinstance(matcher, JointMatcher)
    images = Manifest.load(manifest).split(section.split)
    start_without_pretraining(matcher.backbone, backbone, images, reader)
    model = PretrainingModel(matcher)
    share = (accelerator.process_index, accelerator.num_processes)
    stream = PairStream(images, reader.text, reader.visual, section.batch_images, section.seed, share=share)
    sections = {"backbone": backbone, "pretrain": section, "runtime": runtime}
    inputs = {"manifest": manifest, "features": features, "tokenizer": tokenizer}
    task = Task(pretraining(stream, words, section, accelerator), stream.ids)
    if runtime.kernels == "fast":
        use_fast_layers(model)
    with run_lock(out, accelerator):
        fitted = fit(model, task, section, accelerator, run_folder(out), run_key(sections, inputs))
        finish(out, matcher, description, words, fitted, sections, inputs, started, accelerator, extractor_of(features))
