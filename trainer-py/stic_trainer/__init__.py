"""The STIC trainer: stages, method, modeling and the embedded world."""
