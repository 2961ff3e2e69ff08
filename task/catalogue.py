"""What is known of each data set before it is loaded. Imports nothing, so that a request can be checked at once."""

CLASSES = {"digits": 10, "mnist": 10, "fashion-mnist": 10, "att-faces": 40, "cifar10": 10}
"""Classes by data set; `image-folder` is not in it, since its classes are those of the user's folder."""
