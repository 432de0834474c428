"""The embedded world: rendered scenes with a known scene graph, and a tiny LLaVA that lives in it.

It exists so that the whole method can be run, and its effect measured, on a machine without a model hub. The weakness that
STIC repairs here is planted in the base model's training data (see docs/explanation/embedded-world.md).
"""
