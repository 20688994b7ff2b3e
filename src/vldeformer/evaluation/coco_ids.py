"""COCO's own numbers of images and captions, read from the ids that files and manifests give them.

Lists and judgements published for COCO name images by number (391895) and captions by annotation number (770337). Elsewhere an
image may be ``COCO_val2014_000000391895`` or ``coco:391895``, and the k-th caption of an image ``391895#k``.
"""

import re
from collections.abc import Mapping, Sequence

from vldeformer.errors import InputError

IMAGE_NUMBER = re.compile(r"(\d+)(?:\.\w+)?$")
CAPTION_NUMBER = re.compile(r"(?:^|:)(\d+)$")
CAPTION_POSITION = re.compile(r"(\d+)(?:\.\w+)?#(\d+)$")


def image_numbers(image_ids: Sequence[str], source: str = "image ids") -> list[int]:
    """The number at the end of each id, an extension left out. Raises InputError for an id without one, or one that repeats."""
    numbers: dict[int, str] = {}
    for image_id in image_ids:
        match = IMAGE_NUMBER.search(image_id)
        if match is None:
            raise InputError(f"{source}: expected COCO ids, e.g. '391895' or 'COCO_val2014_000000391895', got {image_id!r}")
        number = int(match[1])
        if number in numbers:
            raise InputError(f"{source}: {numbers[number]!r} and {image_id!r} are the same COCO image {number}; give it once")
        numbers[number] = image_id
    return list(numbers)


def caption_numbers(
    caption_ids: Sequence[str], image_of_caption: Sequence[int], captions_of_image: Mapping[int, Sequence[int]]
) -> list[int]:
    """COCO's annotation number of each caption.

    image_of_caption: number of each caption's image; captions_of_image: by image number the numbers of its captions. The k of
    ``IMAGE#k`` counts them from 0 in ascending order, which is the order of Karpathy's file. Raises InputError for an id that is
    neither a number nor a position of its image.
    """
    numbers = []
    for caption_id, image in zip(caption_ids, image_of_caption, strict=True):
        allowed = sorted(captions_of_image[image])
        number, position = CAPTION_NUMBER.search(caption_id), CAPTION_POSITION.search(caption_id)
        if number is not None and int(number[1]) in allowed:
            numbers.append(int(number[1]))
        elif position is not None and int(position[1]) == image and int(position[2]) < len(allowed):
            numbers.append(allowed[int(position[2])])
        else:
            expected = f"{', '.join(map(str, allowed))} or {image}#0 to {image}#{len(allowed) - 1} for a caption of image {image}"
            raise InputError(f"caption ids: expected {expected}, got {caption_id!r}")
    return numbers
