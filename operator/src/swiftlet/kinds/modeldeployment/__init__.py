"""ModelDeployment: from the spec to a server that is ready when every name answers."""
