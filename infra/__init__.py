"""The Pulumi program and the `servestack` command: stack files in, planned and deployed endpoints out."""
