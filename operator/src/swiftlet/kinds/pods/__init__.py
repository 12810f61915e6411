"""What pods are made of: templates, volumes, variables, the network between them."""
