"""Our numbers beside the paper's."""

from oleander.judge import paper

VERDICT = {
    "attackers": {
        "client-10": {
            "start_round": 41,
            "targets": {
                "1": {"control": False, "recognised": 0.8, "first_round": {"mse_of_means": 0.2}},
                "2": {"control": False, "recognised": 0.6, "first_round": {"mse_of_means": 0.1}},
                "9": {"control": True, "recognised": 0.0},
            },
        }
    },
    "global_model": {"final": {"accuracy": 0.95}},
}


def test_ours_is_the_mean_over_the_targets() -> None:
    """Without the control; other numbers are found by their path; what we lack is None."""
    values = {"recognised": 0.9, "start_round": 42, "final.accuracy": 0.97, "fid": 3}
    table = paper.beside(values, VERDICT)
    assert table["recognised"]["ours"] == 0.7
    assert table["start_round"] == {"paper": 42, "ours": 41}
    assert table["final.accuracy"]["ours"] == 0.95
    assert table["fid"] == {"paper": 3, "ours": None}


def test_suns_distance_is_named_for_what_it_is_read_as() -> None:
    """Only the difference of means moves as the paper's numbers do."""
    row = paper.beside({"distance_first": 0.221}, VERDICT)["distance_first"]
    assert row["reading"] == "first_round.mse_of_means"
    assert abs(row["ours"] - 0.15) < 1e-9
