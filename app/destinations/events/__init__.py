"""The events destination: what rules tell Mixpanel about who enters, leaves and changes within a cohort."""
