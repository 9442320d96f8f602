"""What an inference costs on an ARM board that is not here: its AArch64 instructions, counted under emulation."""
