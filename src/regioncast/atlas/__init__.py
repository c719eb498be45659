"""The nouns: regions, where their samples are, and how one space becomes another."""
