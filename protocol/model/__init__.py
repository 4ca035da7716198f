"""A model of chain, epochs and custody that is walked through in every order. Read explore, custody, then run."""
