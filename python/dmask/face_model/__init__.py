"""What makes face.dmm, eyelid.dmm and landmarks.dmm."""
