"""The method's mathematics as pure functions: torch and the standard library, and Pillow where images are corrupted."""
