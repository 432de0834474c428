"""The optimizer's step and its resumable state. Accelerate lives here and nowhere else."""
