"""The one program engine: frames, fibers, interrupts, and its synchronous core."""
