"""What is learned: data sets, partitions, models and local training. Plain PyTorch; imports neither Flower nor the rest."""
