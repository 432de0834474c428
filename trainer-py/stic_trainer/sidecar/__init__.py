"""Processes and gRPC: serves the trainer's interface and looks after one worker process per job. No torch in here."""
