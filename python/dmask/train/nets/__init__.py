"""The networks, what their outputs mean, and their ONNX files."""
