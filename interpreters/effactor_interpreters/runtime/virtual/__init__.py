"""Virtual actors: addressed by class and id, in memory only while they are used."""
