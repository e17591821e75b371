"""The gateway: Mixpanel's endpoints, as the catalog lists them, for services with a token that names them."""
