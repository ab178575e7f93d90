"""The live interpreter: actors and programs on asyncio."""
