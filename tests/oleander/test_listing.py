"""What `oleander list` prints."""

from oleander import listing


def test_no_two_scenarios_are_described_alike() -> None:
    """Each says what it reproduces, and what tells it from the others."""
    texts = [text for _, text in listing.scenarios()]
    assert all(texts)
    assert len(set(texts)) == len(texts)
