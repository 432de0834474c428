"""Jobs and recipes as frozen dataclasses: the only place that parses configuration."""
