import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.losses import PhraseScoreLoss
from rvos.losses.classification import sigmoid_focal_loss
from rvos.losses.phrases import OPEN_LABEL, token_word_labels


def test_words_are_looked_up_under_the_centres_of_tokens() -> None:
    maps = torch.zeros(2, 8, 16, dtype=torch.long)
    maps[0, 2, 6] = 1  # a centre of the cells of 4 pixels
    maps[1, 4, 4] = 1  # a centre of the cell of 8 pixels
    maps[1, 2, 6] = OPEN_LABEL
    labels = token_word_labels(maps, torch.tensor([0, 1, 1, -1]), [(2, 4), (1, 2)])
    assert labels.shape == (10, 4)
    assert labels[1].tolist() == [1, OPEN_LABEL, OPEN_LABEL, 1]
    assert labels[8].tolist() == [0, 1, 1, 1]
    assert labels.count_nonzero() == 7


def test_a_frame_word_is_open_where_nothing_is_true_and_something_open() -> None:
    maps = torch.tensor([[[0, 0]], [[OPEN_LABEL, 0]]])
    labels = token_word_labels(maps, torch.tensor([-1]), [(1, 2)])
    assert labels.tolist() == [[OPEN_LABEL], [0]]


@given(seed=st.integers(0, 1000))
def test_order_of_phrases_does_not_matter(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    maps = torch.randint(0, 2, (3, 4, 4), generator=generator)
    order = torch.randperm(3, generator=generator)
    words = torch.tensor([-1, 0, 0, 1, 2])
    moved = torch.where(words < 0, words, order.argsort()[words])
    shapes = [(4, 4), (2, 2)]
    assert torch.equal(
        token_word_labels(maps, words, shapes), token_word_labels(maps[order], moved, shapes)
    )


def test_open_pairs_count_for_nothing_even_where_infinite() -> None:
    logits = torch.randn(2, 5, 3)
    labels = torch.randint(0, 2, (2, 5, 3))
    labels[0, 0] = 1
    labels[:, ::2, 1] = OPEN_LABEL
    logits[:, ::2, 1] = -torch.inf
    logits.requires_grad_()
    loss = PhraseScoreLoss()(logits, labels)
    loss.backward()
    known = labels != OPEN_LABEL
    terms = sigmoid_focal_loss(logits[known], (labels[known] == 1).float())
    torch.testing.assert_close(loss, terms.sum() / (labels == 1).sum())
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert not logits.grad[~known].any()


def test_without_a_true_pair_scores_are_trained_down() -> None:
    logits = torch.zeros(1, 4, 2, requires_grad=True)
    PhraseScoreLoss()(logits, torch.zeros(1, 4, 2, dtype=torch.long)).backward()
    assert logits.grad is not None
    assert (logits.grad > 0).all()
