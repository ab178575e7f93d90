"""Ready-made middleware. All of it goes by the world's clock, which is virtual in a simulation."""
