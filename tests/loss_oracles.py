"""Slow plain answers: each contrastive loss, one query and one candidate at a time, on numbers outside of torch."""

import math

import torch
from torch.nn import functional


def unit(rows, seed, width=6):
    """(rows, width) unit vectors."""
    return functional.normalize(torch.randn(rows, width, generator=torch.Generator().manual_seed(seed)), dim=1)


def explicit(queries, references, numbers, hard=None, valid=None, scope="batch"):
    """For each query: (index, cosine, right?, composed?) of each candidate, of which nothing has been left out yet."""
    for q, query in enumerate(queries.tolist()):
        rows = []
        for r, reference in enumerate(references.tolist()):
            rows.append((r, sum(a * b for a, b in zip(query, reference, strict=True)), numbers[q] == numbers[r], False))
        for owner, negative in enumerate([] if hard is None else hard.tolist()):
            if valid[owner] and (scope == "batch" or owner == q):
                rows.append((owner, sum(a * b for a, b in zip(query, negative, strict=True)), False, True))
        yield q, rows


def distance(cosine):
    return math.sqrt(max(0.0, 2 - 2 * cosine))


def infonce(cases, temperature, margin):
    costs = []
    for _, rows in cases:
        total = math.log(sum(math.exp(cosine / temperature) for _, cosine, *_ in rows))
        rights = [cosine / temperature for _, cosine, right, _ in rows if right]
        costs.append(sum(total - score for score in rights) / len(rights))
    return sum(costs) / len(costs)


def triplet(cases, temperature, margin):
    cases = list(cases)
    costs = []
    for q, rows in cases:
        own = next(cosine for r, cosine, _, composed in rows if r == q and not composed)
        before = (q - 1) % len(cases)
        for r, cosine, right, composed in rows:
            if composed or (r == before and not right):
                costs.append(max(0.0, margin + distance(own) - distance(cosine)))
    return sum(costs) / len(costs) if costs else 0.0


def triplet_hard(cases, temperature, margin):
    costs = []
    for _, rows in cases:
        wrongs = [distance(cosine) for _, cosine, right, _ in rows if not right]
        if wrongs:
            costs.append(max(0.0, margin + max(distance(cosine) for _, cosine, right, _ in rows if right) - min(wrongs)))
    return sum(costs) / len(costs) if costs else 0.0


def multi_similarity(cases, temperature, margin):
    costs = []
    for _, rows in cases:
        rights = sum(math.exp(-2 * (cosine - 0.5)) for _, cosine, right, _ in rows if right)
        wrongs = sum(math.exp(50 * (cosine - 0.5)) for _, cosine, right, _ in rows if not right)
        costs.append(math.log(1 + rights) / 2 + math.log(1 + wrongs) / 50)
    return sum(costs) / len(costs)


def sigmoid(cases, temperature, margin):
    costs = []
    for _, rows in cases:
        scores = [(cosine / temperature - 1 / (2 * temperature)) * (1 if right else -1) for _, cosine, right, _ in rows]
        costs.append(sum(math.log(1 + math.exp(-score)) for score in scores))
    return sum(costs) / len(costs)


PLAIN = {loss.__name__: loss for loss in (infonce, triplet, triplet_hard, multi_similarity, sigmoid)}


def plain(loss, captions, images, numbers, temperature, margin, *hard, scope="batch"):
    """The loss of both directions; ``hard``: hard captions, which are valid, hard images, which are valid."""
    hard_captions, captions_valid, hard_images, images_valid = hard or (None,) * 4
    to_images = explicit(captions, images, numbers.tolist(), hard_images, images_valid, scope)
    to_captions = explicit(images, captions, numbers.tolist(), hard_captions, captions_valid, scope)
    return PLAIN[loss](to_images, temperature, margin) + PLAIN[loss](to_captions, temperature, margin)
