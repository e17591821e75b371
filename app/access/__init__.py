"""Who may use the API: bearer tokens, of which only hashes are kept."""
