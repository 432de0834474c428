import torch

from stic_trainer.method.sft import sft_loss


def test_every_row_weighs_the_same_however_long_its_answers_are() -> None:
    token_logps = [torch.tensor([-1.0, -3.0]), torch.tensor([-2.0, -2.0, -2.0, -6.0, -3.0])]
    losses = sft_loss(torch.stack([logps.sum() for logps in token_logps]), torch.tensor([2, 5]))
    assert losses.tolist() == [2.0, 3.0]
    # The step's loss is the mean of the rows' means, 2.5, and not the mean over tokens, 19 / 7.
    assert float(losses.sum() / 2) == 2.5
