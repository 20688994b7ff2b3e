"""Records of the ``scenes`` world and their form on disk: one scene is one compact line of JSON.

    {"id": "train-000007", "split": "train", "background": [2, 5, 9, 41],
     "objects": [["small red star", 512, 301, 7], ...],
     "captions": [["a red star left of a hoop", "0cs 1s left:0,1"], ...]}

A caption is a sentence and its facts, what it says. On disk, to keep the file small: the objects mentioned, each by the number
of an object that it describes and the attributes said (z size, c colour, s shape), then relations of mentions by number
("left:0,1", "between:2,0,1", "top-left:0"), then perhaps "total:3". In memory the numbers are gone: a ``Mention`` holds the
words said and nothing else.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vldeformer.artifact import whole_file
from vldeformer.errors import InputError
from vldeformer.scenes.space import CANVAS, COLOURS, MAX_OBJECTS, PAIR_RELATIONS, PLACES, SHAPES, SIZES


@dataclass(frozen=True, slots=True)
class SceneObject:
    """One object: what it is, its centre in canvas units, and ``look``, a number that chooses tilt, shade and exact radius."""

    shape: str
    colour: str
    size: str
    x: int
    y: int
    look: int


@dataclass(frozen=True, slots=True)
class Mention:
    """An object as a caption names it; None where the caption does not say."""

    shape: str | None
    colour: str | None
    size: str | None

    def describes(self, item: SceneObject) -> bool:
        """Whether everything said is true of the object."""
        return self.shape in (None, item.shape) and self.colour in (None, item.colour) and self.size in (None, item.size)


@dataclass(frozen=True, slots=True)
class Relation:
    """``kind`` holds of the mentions numbered ``of``: one for a place, two for a pair relation, three for between."""

    kind: str
    of: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything one caption claims. ``total`` is the number of objects it says there are, None if it does not say."""

    mentions: tuple[Mention, ...]
    relations: tuple[Relation, ...] = ()
    total: int | None = None

    def encode(self, objects: Sequence[SceneObject]) -> str:
        """The form on disk. Every mention must describe at least one of the objects."""
        words = []
        for mention in self.mentions:
            said = zip("zcs", (mention.size, mention.colour, mention.shape), strict=True)
            number = next(number for number, item in enumerate(objects) if mention.describes(item))
            words.append(str(number) + "".join(letter for letter, word in said if word))
        words += [f"{relation.kind}:{','.join(map(str, relation.of))}" for relation in self.relations]
        return " ".join(words + ([] if self.total is None else [f"total:{self.total}"]))

    @classmethod
    def decode(cls, text: str, objects: Sequence[SceneObject]) -> "Facts":
        """The inverse of ``encode``. Raises ValueError or IndexError on anything else."""
        mentions, relations, total = [], [], None
        for word in text.split():
            kind, colon, numbers = word.partition(":")
            if kind == "total":
                total = int(numbers)
            elif colon:
                relations.append(_relation(kind, tuple(map(int, numbers.split(",")))))
            else:
                mentions.append(_mention(objects[int(word[0])], word[1:]))
        if not 1 <= len(mentions) <= MAX_OBJECTS or any(number >= len(mentions) for r in relations for number in r.of):
            raise ValueError(f"expected facts about 1 to {MAX_OBJECTS} numbered mentions, got {text!r}")
        return cls(tuple(mentions), tuple(relations), total)


@dataclass(frozen=True, slots=True)
class SceneCaption:
    """A sentence and what it claims."""

    text: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture before it is drawn. ``background``: four whole numbers that ``scene_drawing`` reads."""

    id: str
    split: str
    background: tuple[int, int, int, int]
    objects: tuple[SceneObject, ...]
    captions: tuple[SceneCaption, ...]

    def to_json(self) -> str:
        """One line, without the line end."""
        value = {
            "id": self.id,
            "split": self.split,
            "background": self.background,
            "objects": [[f"{o.size} {o.colour} {o.shape}", o.x, o.y, o.look] for o in self.objects],
            "captions": [[caption.text, caption.facts.encode(self.objects)] for caption in self.captions],
        }
        return json.dumps(value, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> "Scene":
        """The inverse of ``to_json``. Raises ValueError, KeyError, TypeError or IndexError on anything else."""
        value = json.loads(line)
        objects = tuple(_object(*row) for row in value["objects"])
        if not 1 <= len(objects) <= MAX_OBJECTS:
            raise ValueError(f"expected 1 to {MAX_OBJECTS} objects, got {len(objects)}")
        captions = tuple(SceneCaption(_text(text), Facts.decode(facts, objects)) for text, facts in value["captions"])
        kind, first, second, grain = map(int, value["background"])
        return cls(_text(value["id"]), _text(value["split"]), (kind, first, second, grain), objects, captions)


def save_scenes(path: Path, scenes: Iterable[Scene]) -> None:
    """Write one scene a line; the file appears when all are there."""
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(scene.to_json() + "\n" for scene in scenes)


def read_scenes(path: Path) -> list[Scene]:
    """Read what ``save_scenes`` wrote. Raises InputError naming the file and the line if it is missing, cut short or corrupt."""
    scenes: list[Scene] = []
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                if not line.endswith("\n"):
                    raise ValueError("the line has no end")
                scenes.append(Scene.from_json(line))
    except FileNotFoundError:
        raise InputError(f"{path}: expected the scenes' descriptions, found no file; make them with `vldeformer fetch`") from None
    except (ValueError, KeyError, TypeError, IndexError) as error:
        where = f"{path}, line {len(scenes) + 1}"
        raise InputError(f"{where}: expected one scene as JSON, got {error!r}; the file is cut short or damaged") from None
    if not scenes:
        raise InputError(f"{path}: expected scenes, the file is empty; make it again with `vldeformer fetch`")
    return scenes


def _object(words: str, x: int, y: int, look: int) -> SceneObject:
    size, colour, shape = words.split()
    if size not in SIZES or colour not in COLOURS or shape not in SHAPES or not (0 <= x < CANVAS and 0 <= y < CANVAS):
        raise ValueError(f"expected size, colour, shape and a place on the canvas, got {words!r} at {x}, {y}")
    return SceneObject(shape, colour, size, int(x), int(y), int(look))


def _mention(item: SceneObject, said: str) -> Mention:
    if not said or not set(said) <= set("zcs"):
        raise ValueError(f"expected some of the letters z, c and s, got {said!r}")
    return Mention(item.shape if "s" in said else None, item.colour if "c" in said else None, item.size if "z" in said else None)


def _relation(kind: str, of: tuple[int, ...]) -> Relation:
    if len(of) != (3 if kind == "between" else 2 if kind in PAIR_RELATIONS else 1 if kind in PLACES else 0):
        raise ValueError(f"expected a relation of numbered mentions, got {kind!r} of {of}")
    return Relation(kind, of)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {value!r}")
    return value
