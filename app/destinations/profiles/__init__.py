"""The profiles destination: rules turn the change log into profile updates in Mixpanel."""
