"""The incentives dashboard: what partners and operators see of the current release."""
