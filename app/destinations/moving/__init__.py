"""Put a destination's cursor elsewhere, at a person's word: skip what comes next, or deliver it again."""
