"""A model of Mixpanel's side of a cohort sync, written from its documentation, and receivers to measure."""
