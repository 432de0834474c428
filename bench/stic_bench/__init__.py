"""The trainer beside its yardsticks: same model, same data, same threads, taking turns in one run."""
