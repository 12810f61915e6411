"""Where the texts that are scored end."""

from swiftlet_trainer.data.encode import Encoded


def unpadded(sequence: Encoded, pad_token_id: int | None) -> Encoded:
    """Without tokens at its end that are those that others are padded with: transformers, which scores the last token
    that is none of them, would not score them either."""
    return sequence.part(0, len(ended(sequence.input_ids, pad_token_id)))


def ended(ids: list[int], pad_token_id: int | None) -> list[int]:
    """The same of token ids, of which at least one is left."""
    end = len(ids)
    while end > 1 and ids[end - 1] == pad_token_id:
        end -= 1
    return ids[:end]
