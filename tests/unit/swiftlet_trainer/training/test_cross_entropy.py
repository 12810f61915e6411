"""The kernel of the cross entropy, run by Triton's interpreter, since there is no GPU here."""

import subprocess
import sys

PROGRAM = """
import torch
from torch.nn import functional
from swiftlet_trainer.training.cross_entropy import cross_entropy_

# One block, several, and one whose end is in the middle.
for vocabulary in (8, 300, 70000):
    for precision, tolerance in ((torch.float32, 1e-6), (torch.bfloat16, 4e-3)):
        torch.manual_seed(0)
        logits = (3 * torch.randn(5, vocabulary)).to(precision)
        target = torch.randint(0, vocabulary, (5,))
        target[0] = logits[0].argmax()
        plain = logits.float().requires_grad_()
        expected = functional.cross_entropy(plain, target, reduction="none")
        expected.sum().backward()
        entropy = torch.special.entr(plain.detach().softmax(-1)).sum(-1)
        likeliest = logits.argmax(-1).eq(target).float()
        weights, weighed = torch.linspace(-0.5, 2.0, 5), logits.clone()
        alone, none = cross_entropy_(weighed, target, weights, False)
        losses, metrics = cross_entropy_(logits, target, None, True)
        assert none is None
        torch.testing.assert_close(losses, expected.detach(), rtol=1e-6, atol=1e-5)
        torch.testing.assert_close(alone, losses, rtol=0, atol=0)
        torch.testing.assert_close(logits.float(), plain.grad, rtol=0, atol=tolerance)
        torch.testing.assert_close(weighed.float(), weights[:, None] * plain.grad, rtol=0, atol=2 * tolerance)
        torch.testing.assert_close(metrics, torch.stack([entropy, likeliest], -1), rtol=1e-5, atol=1e-5)
nothing, metrics = cross_entropy_(torch.empty(0, 300), torch.empty(0, dtype=torch.long), None, True)
assert nothing.shape == (0,) and metrics.shape == (0, 2)
print("the same")
"""


def test_loss_gradient_and_metrics_are_those_of_pytorch() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        env={"TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "the same\n", done.stderr
