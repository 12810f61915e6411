"""Losses of vectors of texts: each gives the loss of every group, fp32, (G,), whose mean is the loss of a step.

Distances are 1 - cosine. A group is a query and its documents, or the two texts of a scored pair.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from swiftlet.api.v1alpha1.tasks.embedding import EmbeddingLoss, EmbeddingTask
from torch.nn.functional import normalize, relu

from swiftlet_trainer.tasks.embedding.texts import Texts

Loss = Callable[[Texts, EmbeddingTask], torch.Tensor]


def infonce(texts: Texts, task: EmbeddingTask) -> torch.Tensor:
    """-log of the positive's share among the documents, by exp(cosine / temperature). Source: arXiv:1807.03748,
    equation 4.

    Documents of other groups are among them with useBatch, but for those that are no negatives: the very text of the
    positive, and what answers the same query in another group. With maskFakeNegative also but for those whose cosine is
    more than fakeNegMargin above the positive's (arXiv:2506.05176, equation 2).
    """
    queries, documents = texts.queries, texts.documents
    cosines = texts.vectors[queries] @ texts.vectors[documents].T
    own = texts.positives.unsqueeze(-1) == documents
    among = texts.group[queries].unsqueeze(-1) == texts.group[documents]
    if task.use_batch:
        is_positive = torch.isin(documents, texts.positives)
        asked = texts.same[queries][texts.group[documents]]
        answers_it = (texts.same[queries].unsqueeze(-1) == asked) & is_positive
        is_it = texts.same[texts.positives].unsqueeze(-1) == texts.same[documents]
        among = ~(answers_it | is_it)
    if task.mask_fake_negative:
        among = among & (cosines <= texts.cosines.unsqueeze(-1) + task.fake_neg_margin)
    logits = (cosines / task.temperature).masked_fill(~(among | own), -torch.inf)
    return logits.logsumexp(-1) - texts.cosines / task.temperature


def contrastive(texts: Texts, task: EmbeddingTask) -> torch.Tensor:
    """Half the square of a positive pair's distance, and of what a negative pair's lacks to the margin. Source: Hadsell
    et al. 2006, doi:10.1109/CVPR.2006.100, equation 4."""
    scores, distance = texts.scores, 1 - texts.cosines
    return 0.5 * (scores * distance**2 + (1 - scores) * relu(task.margin - distance) ** 2)


def online_contrastive(texts: Texts, task: EmbeddingTask) -> torch.Tensor:
    """The same summed, without the half, over the hard pairs of the step: positives further apart than the closest
    negative, negatives closer than the furthest positive. Source: sentence-transformers' OnlineContrastiveLoss."""
    is_positive, distance = texts.scores > 0.5, 1 - texts.cosines
    positives, negatives = distance[is_positive], distance[~is_positive]
    hard_negatives = negatives[negatives < (positives.max() if len(positives) > 1 else negatives.mean())]
    hard_positives = positives[positives > (negatives.min() if len(negatives) > 1 else positives.mean())]
    whole = (hard_positives**2).sum() + (relu(task.margin - hard_negatives) ** 2).sum()
    return whole.expand(len(distance))


def cosine_similarity(texts: Texts, task: EmbeddingTask) -> torch.Tensor:
    """The square of the difference of cosine and score."""
    return (texts.cosines - texts.scores) ** 2


def cosent(texts: Texts, task: EmbeddingTask) -> torch.Tensor:
    """log(1 + sum of exp(scale (cosine of j - cosine of i))) over pairs i, j of the step where i has the higher score.
    Source: Su 2022, https://kexue.fm/archives/8847; sentence-transformers' CoSENTLoss."""
    scores = texts.scores
    cosines = task.scale * texts.cosines
    ahead = cosines.unsqueeze(0) - cosines.unsqueeze(1)
    wrong = ahead[scores.unsqueeze(1) > scores.unsqueeze(0)]
    whole = torch.cat([wrong.new_zeros(1), wrong]).logsumexp(0)
    return whole.expand(len(scores))


def triplet(texts: Texts, task: EmbeddingTask) -> torch.Tensor:
    """What the negative's distance lacks to the positive's and the margin; the mean over a group's negatives. Source:
    arXiv:1503.03832, equation 3, with the distances of sentence-transformers' TripletDistanceMetric.COSINE."""
    negatives = texts.documents[~torch.isin(texts.documents, texts.positives)]
    group = texts.group[negatives]
    cosines = (texts.vectors[texts.queries][group] * texts.vectors[negatives]).sum(-1)
    each = relu(cosines - texts.cosines[group] + task.margin)
    count = torch.bincount(group, minlength=len(texts.queries))
    return each.new_zeros(len(count)).index_add(0, group, each) / count


LOSSES: Mapping[EmbeddingLoss, Loss] = {
    "infonce": infonce,
    "contrastive": contrastive,
    "online_contrastive": online_contrastive,
    "cosine_similarity": cosine_similarity,
    "cosent": cosent,
    "triplet": triplet,
}


def loss(texts: Texts, task: EmbeddingTask) -> torch.Tensor:
    """Of each group: the task's loss, of whole vectors or summed over their beginnings by matryoshkaWeights. Source:
    arXiv:2205.13147, equation 1."""
    chosen = LOSSES[task.loss_type]
    if task.matryoshka_dims is None:
        return chosen(texts, task)
    weights = task.matryoshka_weights or [1.0] * len(task.matryoshka_dims)
    parts = [
        weight * chosen(replace(texts, vectors=normalize(texts.vectors[:, :size], dim=-1)), task)
        for size, weight in zip(task.matryoshka_dims, weights, strict=True)
    ]
    return torch.stack(parts).sum(0)
