"""Small raw files of every source of a data set, and inputs of the step `ablations`; all drawn from integers."""

import json

import numpy as np
from PIL import Image

MODELS = ("joint", "joint_seed1", "decomposed", "decomposed_seed1", "scratch", "scratch_seed1")
SPLITS = ("train", "train", "train", "val", "test", "test")


def photographs(folder, names):
    """A PNG for each name: stripes whose width and colour depend on its place."""
    folder.mkdir(parents=True)
    for number, name in enumerate(names):
        rows, columns = np.mgrid[: 40 + number, : 48 - number]
        colours = np.stack([rows * (number + 3), columns * 5, rows * columns], axis=-1) % 256
        Image.fromarray(colours.astype(np.uint8)).save(folder / name)


def karpathy_file(path, names):
    images = [
        {
            "filename": name,
            "imgid": number,
            "split": split,
            "sentids": [2 * number, 2 * number + 1],
            "sentences": [
                {"raw": f"a dog {number}", "sentid": 2 * number},
                {"raw": f"the cat {number}", "sentid": 2 * number + 1},
            ],
        }
        for number, (name, split) in enumerate(zip(names, SPLITS, strict=True))
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"dataset": "tiny", "images": images}))


def karpathy(raw):
    names = [f"{number}.png" for number in range(len(SPLITS))]
    photographs(raw / "images", names)
    karpathy_file(raw / "dataset.json", names)
    return {"annotations": "dataset.json", "images": "images", "image_size": 32, "captions_per_image": 2}


def joined(raw):
    for part in ("one", "two"):
        names = [f"{number}.png" for number in range(len(SPLITS))]
        photographs(raw / part / "images", names)
        karpathy_file(raw / part / "dataset.json", names)
    parts = {part: {"annotations": f"{part}/dataset.json", "images": f"{part}/images"} for part in ("one", "two")}
    return {"parts": parts, "captions_per_image": 2}


def folder(raw):
    names = [f"{number}.png" for number in range(len(SPLITS))]
    photographs(raw / "images", names)
    lines = [f"{name},a dog {number},{SPLITS[number]}" for number, name in enumerate(names)]
    (raw / "captions.csv").write_text("\n".join(["image,caption,split", *lines]) + "\n")
    return {"captions": "captions.csv", "images": "images", "image_size": 32}


def vinvl(raw):
    from vinvl_files import detect, write_captions, write_features

    write_features(raw / "features", [detect(str(number), 2) for number in range(6)])
    captions, keys = {}, {}
    for split, ids in (("train", (0, 1, 2)), ("val", (3,)), ("test", (4, 5))):
        write_captions(raw / "captions", {number: [f"a dog {number}"] * 5 for number in ids}, split)
        captions[split], keys[split] = f"captions/{split}_captions.pt", f"captions/{split}_img_keys.tsv"
    return {"parts": {"coco": {"features": "features", "captions": captions, "keys": keys}}}


def ablation_inputs(root):
    """Arguments of `ablations`: results of two models with two seeds each, and times."""
    from made_reports import SPEED

    from vldeformer.evaluation.measures import Bootstrap, measure
    from vldeformer.evaluation.result import RetrievalResult
    from vldeformer.retrieval.ranking import Ranks

    paths, index, bootstrap = [], np.repeat(np.arange(20), 5), Bootstrap(100, 0.95, 0)
    images, captions = tuple(f"i{row}" for row in range(20)), tuple(f"c{row}" for row in range(100))
    for number, name in enumerate(MODELS):
        for protocol in ("subset", "test"):
            first, second = (np.arange(size) * (number + 7) % 11 + 1 for size in (20, 100))
            ranks = Ranks(first, second)
            result = RetrievalResult(
                "tiny", name, protocol, images, captions, index, ranks, measure(ranks, index, bootstrap), bootstrap
            )
            paths.append(root / "given" / name / f"{protocol}.json")
            result.save(paths[-1])
    rows = [{"experiment": "decomposed", "title": "Pre-trained"}, {"experiment": "scratch", "title": "From scratch"}]
    names = {
        name: name.title() for name in ("joint", "joint_seed1", "decomposed", "decomposed_seed1", "scratch", "scratch_seed1")
    }
    section = {
        "titles": names, "baseline": "joint", "main": "decomposed", "decomposed": ["decomposed", "scratch"],
        "claimed": ["decomposed"], "trivial": [],
        "ablations": {"start": {"title": "Start", "reference": "scratch", "rows": rows}},
        "published_protocols": [], "counterparts": {}, "claimed_drop": 0.6, "claimed_speedup": 1000,
    }  # fmt: skip
    (root / "settings.json").write_text(json.dumps({"report": section}))
    (root / "speed.json").write_text(json.dumps(SPEED))
    return {"settings": root / "settings.json", "results": paths, "speed": root / "speed.json"}
