"""What all benchmarks share: values, statistics, the machine they ran on, processes of their own, and verdicts."""
