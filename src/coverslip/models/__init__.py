"""Trained models: ONNX files with a card that says what goes in, what comes out, and how good it is."""
