"""The laws, a module for each group."""
