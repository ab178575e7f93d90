"""The dry run: what would this program do? It performs nothing."""
