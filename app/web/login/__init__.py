"""The login of the pages for people: a token of the API, remembered in a signed cookie."""
