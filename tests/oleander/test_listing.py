"""What `oleander list` prints."""

from oleander import listing


def test_no_two_scenarios_are_described_alike() -> None:
    """Each says what it reproduces, and what tells it from the others."""
    texts = [text for _, text in listing.scenarios()]
    assert all(texts)
    assert len(set(texts)) == len(texts)


def test_defences_are_listed_with_what_they_act_on() -> None:
    """And with their file's first line."""
    listed = dict(listing.defenses())
    assert listed["anti-gan"].startswith("data         Anti-GAN: ")
    assert listed["clip-and-noise"].startswith("update       Clip and noise: ")
