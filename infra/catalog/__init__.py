"""Facts about models, accelerators, frameworks and prices: YAML files with sources, and their typed records."""
