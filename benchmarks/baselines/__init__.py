"""What the float model does on a server's accelerator: recorded there as a file, read beside edge figures here."""
