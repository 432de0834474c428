"""The six stages of STIC: each module has ``run(job, ctx)``, reads its inputs by role and publishes its artifacts by name."""
