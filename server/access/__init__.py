"""Who may use what: policy, roles and the communities inside an organisation."""
