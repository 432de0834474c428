"""The optimizer's step, its resumable state, and the processes that share the work. Accelerate lives here and nowhere else."""
