"""What is learned: data sets, partitions, models, local training. Plain PyTorch; imports nothing else from here."""
