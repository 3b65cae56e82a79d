"""The tuner: chooses a design jointly, enacts it, proves it, keeps or undoes it."""
