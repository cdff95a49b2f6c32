"""A model served on this machine: the wanted service, what keeps it running, and a Pulumi provider around both."""
