"""TensorRT engines of the shipped nets: their names, and what builds them."""
