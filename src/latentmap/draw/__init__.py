"""Drawing: how an image is shown to the encoder and to the reader."""
